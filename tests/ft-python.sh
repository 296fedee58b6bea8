#!/bin/sh
# Prints the path of a free-threaded Python, for the tests that prove a race and its fix by running them.
#
#   tests/ft-python.sh            finds one, or exits 1 without a word
#   tests/ft-python.sh --build    builds one when there is none (some three minutes, once), from Debian's python3.13 source package
#
# Looked for in this order: $UNGIL_FT_PYTHON, python3.14t and python3.13t on PATH, the one that was built earlier. The built one
# lives in the user's cache, outside the tree. Its source comes from the mirror that apt is set up with, through a private apt
# configuration, so that the system's package lists stay as they are. Messages go to stderr.
set -eu

cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ungil/ft-python

say() { printf 'ft-python: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# PYTHON_GIL=0 is refused by a Python that cannot switch its lock off.
free_threaded() {
    PYTHON_GIL=0 "$1" -c 'import sys; sys.exit(sys._is_gil_enabled())' </dev/null >/dev/null 2>&1
}

for candidate in "${UNGIL_FT_PYTHON:-}" "$(command -v python3.14t || :)" "$(command -v python3.13t || :)" "$cache/bin/python3.13t"; do
    if [ -n "$candidate" ] && free_threaded "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done
[ "${1-}" = --build ] || exit 1

# --- Building one ---------------------------------------------------------------------------------------------------------

command -v apt-get >/dev/null || die "no free-threaded Python here; install python3.13t or python3.14t, or set UNGIL_FT_PYTHON"

missing=
command -v gcc >/dev/null || missing="$missing gcc"
[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
command -v make >/dev/null || missing="$missing make"
command -v xz >/dev/null || missing="$missing xz-utils"
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    say "installing$missing with apt-get"
    install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends$missing"
    $install </dev/null >/dev/null 2>&1 || { $as_root apt-get update -q </dev/null >/dev/null && $install </dev/null >/dev/null; } ||
        die "could not install$missing"
fi

work=$(mktemp -d)
chmod 755 "$work" # apt drops to a user of its own for downloads
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
cd "$work"
mkdir -p lists/partial state archives/partial download
chmod 777 download

private_apt() {
    apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State="$work/state" \
        -o Dir::State::Lists="$work/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$work" -o Acquire::Languages=none \
        -o Dir::Cache::Archives="$work/archives" "$@" </dev/null
}

# What `apt-get update` would fetch names every mirror of the system: 'ADDRESS/dists/SUITE/InRelease' FILE SIZE.
mirrors=$(apt-get --print-uris update </dev/null 2>/dev/null | sed -n "s|^'\(.*\)/dists/.*InRelease'.*|\1|p" | awk '!seen[$0]++')
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
signed_by=
[ -e "$keyring" ] && signed_by="[signed-by=$keyring] "

say "fetching the source of Python 3.13 from Debian trixie"
found=
for mirror in $mirrors; do
    echo "deb-src ${signed_by}$mirror trixie main" >sources.list
    rm -rf lists && mkdir -p lists/partial
    if private_apt update >>log 2>&1 && (cd download && private_apt source --download-only python3.13) >>log 2>&1; then
        found=1
        break
    fi
done
[ -n "$found" ] || { grep -E '^(E|W|Err):?' log >&2 || :; die "none of apt's mirrors gave the source package python3.13 of suite trixie"; }

say "building Python 3.13 without the GIL (some three minutes)"
mkdir source stage
tar -xf download/python3.13_*.orig.tar.?z -C source --strip-components=1
cd source
{
    ./configure --quiet --prefix="$cache" --disable-gil --without-ensurepip --disable-test-modules &&
        make -s -j"$(getconf _NPROCESSORS_ONLN)" && make -s altinstall DESTDIR="$work/stage"
} </dev/null >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; die "the build of Python failed (its last words are above)"; }

# Complete or not there at all: copied beside its place, then renamed. Another build may have been faster; then its result is used.
mkdir -p "$(dirname "$cache")"
rm -rf "$cache.new.$$"
cp -a "$work/stage$cache" "$cache.new.$$"
free_threaded "$cache/bin/python3.13t" || rm -rf "$cache"
mv -T "$cache.new.$$" "$cache" 2>/dev/null || rm -rf "$cache.new.$$"

free_threaded "$cache/bin/python3.13t" || die "the Python that was built still has its GIL; please report this"
say "built $("$cache/bin/python3.13t" --version)"
echo "$cache/bin/python3.13t"
