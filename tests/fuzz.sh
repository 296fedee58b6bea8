#!/bin/sh
# make fuzz: a minute of damaged fixtures and half a minute of damaged webhooks against the sanitizer build. FUZZ_SECONDS and FUZZ_SEED
# change the length of each and the start.
set -eu
status=0
python3 "$(dirname "$0")/fuzz.py" "$@" || status=1
python3 "$(dirname "$0")/fuzz_serve.py" "$@" || status=1
exit $status
