#!/bin/sh
# make fuzz: a minute of damaged fixtures against the sanitizer build. FUZZ_SECONDS and FUZZ_SEED change the length and the start.
set -eu
exec python3 "$(dirname "$0")/fuzz.py" "$@"
