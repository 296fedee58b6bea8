#!/bin/sh
# make fidelity: fix on a copy of the installed Python's library, or of the folders given, and everything must still compile.
set -eu
exec python3 "$(dirname "$0")/fidelity.py" "$@"
