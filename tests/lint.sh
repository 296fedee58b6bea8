#!/bin/sh
# What the compiler cannot check: who may include whom (docs/design.md, Folders), functions that are not used here, and form.
# Prints one line per finding as FILE:LINE: and exits 1 when there is any; a line that says "warning" does not count.
set -eu
cd "$(dirname "$0")/.."

git rev-parse HEAD >/dev/null 2>&1 || { echo 'lint: this is no git checkout' >&2; exit 2; }
files() { git ls-files -co --exclude-standard "$@" | while IFS= read -r f; do [ -f "$f" ] && printf '%s\n' "$f"; done; }
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# --- C sources ----------------------------------------------------------------------------------------------------------

# A file includes its own folder, pipeline.h, base/ and the folders of earlier stages. Lengths are in characters: the
# continuation bytes of UTF-8 are dropped before counting.
for f in $(files 'src/*.c' 'src/*.h' 'src/*.def' 'tests/*.c' 'tests/*.h'); do
    LC_ALL=C tr -d '\200-\277' <"$f" | LC_ALL=C awk -v file="$f" '
        function bad(text) { printf "%s:%d: %s\n", file, NR, text }
        BEGIN {
            n = split("base know conf read parse facts link races fixes edit emit ready serve app", stages, " ")
            for (i = 1; i <= n; i++) order[stages[i]] = i
            split(file, part, "/")
            if (part[1] == "src" && part[3] != "" && part[2] != "tool") own = part[2]
            if (own && !(own in order)) { NR = 1; bad("folder src/" own " is no stage; add it to the list in tests/lint.sh") }
        }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            split($0, quoted, "\"")
            slash = index(quoted[2], "/")
            other = slash ? substr(quoted[2], 1, slash - 1) : own
            if (own == "base" && quoted[2] == "pipeline.h") bad("base/ knows nothing of the pipeline")
            if (own && slash && other != own) {
                if (!(other in order)) bad("includes \"" quoted[2] "\", which is in no stage")
                else if (order[other] > order[own]) bad(own "/ includes \"" quoted[2] "\" of a later stage")
            }
        }
        own && own != "parse" && /(^|[^A-Za-z0-9_])(ts_[a-z]|TSNode)|<tree_sitter\// {
            bad("tree-sitter is used only in parse/")
        }
        /^[ \t]*#[ \t]*include[ \t]*<git2/ && part[1] == "src" && own != "read" && own != "emit" { bad("libgit2 is used only in read/ and emit/") }
        /^[ \t]*#[ \t]*include[ \t]*<curl/ && part[1] == "src" && own != "emit" { bad("curl is used only in emit/") }
        /^[ \t]*#[ \t]*include[ \t]*<(microhttpd|nettle\/|sys\/socket|netdb|sys\/signalfd)/ && part[1] == "src" && own != "serve" {
            bad("sockets, libmicrohttpd and nettle are used only in serve/")
        }
        match($0, /(^|[^A-Za-z0-9_])(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|gets)[ \t]*\(/) {
            bad("banned function; use Buf, Str or snprintf")
        }
        own == "facts" && /\.v\[[^]]*\]\.[a-z_]+ = [^;]*(walk_|_block\)\()/ && !/block_add\(/ {
            bad("walking may move the vector before the value is stored; keep the value in a local first")
        }
        /\t/ { bad("tab") }
        length($0) > 118 && file !~ /\.def$/ { # rows of a table may be long
            bad("line of " length($0) " characters, 118 allowed")
        }
        END { if (NR > 600) printf "%s:%d: warning: %d lines; what could be a file of its own?\n", file, NR, NR }
    '
done >>"$found"

# A function that no other file uses is static. Comments and strings do not count as uses, nor do declarations in headers.
# shellcheck disable=SC2046 # no file of ours has a space in its name
LC_ALL=C awk '
    {
        code = ""
        for (rest = $0; rest != ""; ) {
            at = index(rest, inside ? "*/" : "/*")
            if (!inside) code = code (at ? substr(rest, 1, at - 1) : rest)
            rest = at ? substr(rest, at + 2) : ""
            if (at) inside = !inside
        }
        gsub(/"(\\.|[^"\\])*"/, "", code)
        if (code ~ /^[A-Za-z]/ && code !~ /^(static|typedef|extern)|;$|=/ && match(code, /[A-Za-z0-9_]+\(/))
            made[substr(code, RSTART, RLENGTH - 1)] = FILENAME ":" FNR
        n = split(code, words, /[^A-Za-z0-9_]+/)
        for (i = 1; i <= n; i++) {
            if (!(words[i] in first)) first[words[i]] = FILENAME
            if (first[words[i]] != FILENAME) shared[words[i]] = 1
        }
    }
    END {
        for (name in made)
            if (!(name in shared) && name != "main") printf "%s: %s is used in no other file; make it static\n", made[name], name
    }
' $(files 'src/*.c' 'tests/unit/*.c') >>"$found"

# --- Every text of ours ---------------------------------------------------------------------------------------------------

# Fixtures are other people's style, and this script names what it looks for.
ours=$(files | grep -Ev '^(fixtures/|tests/lint\.sh$|package-lock\.json$|LICENSE$)' || :)
if [ -n "$ours" ]; then
    # shellcheck disable=SC2086 # no file of ours has a space in its name
    {
        grep -InE '(^|[^A-Za-z0-9_.~-])/(root|work|home/[a-z]+|Users/[A-Za-z]+)/' $ours | sed 's/^\([^:]*:[0-9]*:\).*/\1 path of somebody'\''s machine/' || :
        grep -InE '(^|[^A-Za-z])(TODO|FIXME)([^A-Za-z]|$)' $ours | grep -vE '(TODO|FIXME) ?\(?#[0-9]+' | sed 's/^\([^:]*:[0-9]*:\).*/\1 TODO without the number of an issue/' || :
        grep -InE '[ 	]+$' $(echo "$ours" | grep -E '\.(c|h|def|sh|py)$|^Makefile$' || echo /dev/null) | sed 's/^\([^:]*:[0-9]*:\).*/\1 blanks at the end of the line/' || :
        grep -n '"resolved"' package-lock.json /dev/null | sed 's/^\([^:]*:[0-9]*:\).*/\1 address of a registry in the lock file/' || :
    } >>"$found"
fi

cat "$found"
! grep -qv ': warning: ' "$found"
