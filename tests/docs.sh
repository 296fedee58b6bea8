#!/bin/sh
# make docs: writes the generated parts of docs/ and README.md anew, from what the program says.
set -eu
exec python3 "$(dirname "$0")/docs.py" "$@"
