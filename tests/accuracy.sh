#!/bin/sh
# make accuracy: recall and precision per rule over tests/accuracy/, written to docs/accuracy.md.
set -eu
exec python3 "$(dirname "$0")/accuracy.py" "$@"
