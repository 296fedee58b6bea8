#!/bin/sh
# make demo: what a user sees on a small project. It works on a copy, as findings in examples of another project,
# which this folder is here, are of low confidence. Status 2 when nothing is found.
set -eu
cd "$(dirname "$0")/../${DEMO:-fixtures/demo}" 2>/dev/null || { echo "demo: there is no sample project yet" >&2; exit 2; }

: "${UNGIL:?run make demo}"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R . "$copy/linkwatch"
cd "$copy/linkwatch"

# Shows the command as it would be typed, then runs it. Status 1 means that there are findings, which there are.
show() {
    printf '\n\033[1m$ ungil %s\033[0m\n' "$*"
    "$UNGIL" "$@" || [ $? = 1 ] || exit 2
}
[ -t 1 ] || show() {
    printf '\n$ ungil %s\n' "$*"
    "$UNGIL" "$@" || [ $? = 1 ] || exit 2
}

show check
if "$UNGIL" check -q >/dev/null; then
    echo "demo: nothing was found" >&2
    exit 2
fi
show diff
printf '\nIn your own project: "ungil fix" applies the diff, "ungil commit" commits it, "ungil explain RULE" says why.\n'
