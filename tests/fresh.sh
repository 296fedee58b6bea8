#!/bin/sh
# Does it work for a stranger? Makes a minimal Debian 12 with nothing added but make and git, clones this repository's HEAD into it
# and runs what the README says. Needs root, apt and some minutes; not part of make test.
#
#   tests/fresh.sh                  runs make demo, then make test
#   tests/fresh.sh COMMAND…         runs these instead, e.g. tests/fresh.sh 'bash .ci/run'
#   KEEP=1 tests/fresh.sh           keeps the root folder and says where it is
#
# The mirror, proxies and certificates of this machine are used, since they are how it reaches the network.
set -eu
cd "$(dirname "$0")/.."

die() { printf 'fresh: %s\n' "$*" >&2; exit 2; }
[ "$(id -u)" = 0 ] || die 'chroot needs root'
[ $# -gt 0 ] || set -- 'make demo' 'make test'

command -v debootstrap >/dev/null ||
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends debootstrap >/dev/null </dev/null ||
    die 'please install debootstrap'

# "MIRROR SUITE" for each Debian 12 suite that apt would refresh, the main one first.
suites=$(apt-get --print-uris update 2>/dev/null | sed -n "s|^'\(.*\)/dists/\(bookworm[^/]*\)/InRelease'.*|\1 \2|p" | awk '!seen[$0]++')
mirror=$(echo "$suites" | awk '$2 == "bookworm" { print $1; exit }')
[ -n "$mirror" ] || die 'apt on this machine knows no mirror with Debian 12'

root=$(mktemp -d)
chmod 755 "$root" # apt drops to a user of its own, who must get through
finish() {
    rm -f "$root.log"
    for m in dev/pts dev proc; do umount "$root/$m" 2>/dev/null || :; done
    if mount | grep -qF " $root/"; then echo "fresh: could not unmount below $root; left there" >&2
    elif [ "${KEEP:-}" = 1 ]; then echo "fresh: kept $root" >&2
    else rm -rf "$root"; fi
}
trap finish EXIT
trap 'exit 1' INT TERM

echo "== a minimal Debian 12 with make and git"
debootstrap --variant=minbase --include=make,git bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; die 'debootstrap failed'; }
rm -f "$root.log"
echo "$suites" | while read -r m s; do echo "deb $m $s main"; done >"$root/etc/apt/sources.list"
for f in /etc/resolv.conf /etc/hosts; do [ -e "$f" ] && cp -L "$f" "$root$f"; done
# Proxies for apt, this machine's own certificates, and npm's settings, whatever of that there is.
grep -hiE '^ *acquire::.*(proxy|verify|cainfo)' /etc/apt/apt.conf /etc/apt/apt.conf.d/* 2>/dev/null >"$root/etc/apt/apt.conf.d/90host" || :
mkdir -p "$root$HOME" "$root/usr/local/share/ca-certificates"
cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || :
if command -v npm >/dev/null; then
    cat "$(npm config get globalconfig)" "$(npm config get userconfig)" 2>/dev/null | grep -E '^(registry|cafile|proxy|https-proxy|noproxy)=' >"$root$HOME/.npmrc" || :
fi
mount -t proc proc "$root/proc" 2>/dev/null || mount --bind /proc "$root/proc" 2>/dev/null || echo 'fresh: no /proc in there' >&2
[ -c "$root/dev/null" ] || mount --bind /dev "$root/dev" || die 'no devices in there'

git clone -q --no-hardlinks . "$root/srv/ungil"
for command in "$@"; do
    echo "== $command"
    start=$(date +%s)
    env -i HOME="$HOME" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
        $(env | grep -iE '^(https?|no)_proxy=' || :) \
        chroot "$root" sh -c "cd /srv/ungil && $command" </dev/null || { echo "fresh: '$command' failed with status $?" >&2; exit 1; }
    echo "== $command: ok after $(($(date +%s) - start)) s"
done
