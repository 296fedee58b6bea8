#!/bin/sh
# Makes this machine able to build and test ungil: the compiler, the libraries, and tree-sitter's sources in node_modules.
#
#   tests/setup.sh            installs what is missing; prints nothing when nothing is
#   tests/setup.sh --check    installs nothing; names what is missing and exits 1
#
# On Debian and Ubuntu the packages come through apt-get (as root, or with sudo). Elsewhere the script names what to install
# and exits 2. It can be run again at any time: everything that is present is left alone.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- what is missing: Debian's package names, and plain names for everybody else -------------------------------------------

packages=
names=
miss() { packages="$packages $2"; names="$names, $1"; }
need_command() { has "$1" || miss "$1" "$2"; }
need_library() { { has pkg-config && pkg-config --exists "$1"; } || miss "$1" "$2"; }

has cc || need_command gcc gcc
[ -e /usr/include/stdio.h ] || ! has apt-get || miss 'the C library headers' libc6-dev
need_command pkg-config pkg-config
need_command git git
need_command python3 python3
need_command npm npm
[ -e /etc/ssl/certs/ca-certificates.crt ] || ! has apt-get || miss 'CA certificates' ca-certificates
need_library libpcre2-8 libpcre2-dev
need_library libgit2 libgit2-dev
need_library jansson libjansson-dev
need_library libcurl libcurl4-openssl-dev
need_library cmocka libcmocka-dev
need_library libmicrohttpd libmicrohttpd-dev
need_library nettle nettle-dev
need_library libzstd libzstd-dev
names=${names#, }

# tree-sitter's sources are current when the lock file that they were installed from is still the same.
stamp=node_modules/.ungil-lock
modules_current() { [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; }

if [ "${1-}" = --check ]; then
    modules_current || names="$names${names:+, }tree-sitter's sources (npm ci)"
    [ -z "$names" ] && exit 0
    say "missing: $names"
    exit 1
fi

# --- packages --------------------------------------------------------------------------------------------------------------

if [ -n "$packages" ]; then
    if ! has apt-get; then
        die "please install $names with this system's package manager (the development packages of the libraries), then run make setup again"
    fi
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif has sudo; then
        as_root=sudo
    else
        die "please run as root: apt-get install$packages"
    fi
    say "installing$packages with apt-get (a minute or two)"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # env, because sudo drops the environment. The package lists are refreshed only when the first try finds them absent or old.
    apt_install() {
        # shellcheck disable=SC2086 # the list is meant to be split
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages </dev/null >"$log" 2>&1
    }
    apt_update() { $as_root apt-get update -q </dev/null >"$log" 2>&1; }
    if ! apt_install; then
        if ! apt_update || ! apt_install; then
            tail -n 15 "$log" >&2
            die "apt-get could not install$packages (its last words are above)"
        fi
    fi
fi

# --- tree-sitter's sources -------------------------------------------------------------------------------------------------

if ! modules_current; then
    say "fetching tree-sitter's sources with npm ci"
    # --ignore-scripts: only the C files are wanted, nothing is built for or run under node.
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >/dev/null ||
        die "npm ci failed; the build needs node_modules/tree-sitter and node_modules/tree-sitter-python"
    cp package-lock.json "$stamp"
fi
