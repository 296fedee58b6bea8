#!/bin/sh
# Runs every test suite and adds up what they report. Called by make test, make san and make accept, which build first.
#
# A suite is a program $BUILD/tests/test_* (from tests/unit/, counted from what cmocka prints) or an executable tests/suite_*.py or
# tests/suite_*.sh, which must print as its last line
#     # suite NAME: P passed, F failed, S skipped
# A suite that ends without that line counts as one failure, whatever its exit status. Lines that start with "FAIL" or "not ok"
# are repeated at the end.
#
# Every suite gets:  UNGIL            the program, an absolute path
#                    BUILD            the build folder, an absolute path
#                    UNGIL_FT_PYTHON  a free-threaded Python, where there is one
#                    T                run only what matches this pattern (empty: everything)
#                    ACCEPT           1: rewrite expected output instead of comparing with it
# tests/unit/filter.c makes a cmocka suite heed T.
set -u
cd "$(dirname "$0")/.." || exit 2

BUILD=$(cd "${BUILD:-build}" && pwd) || exit 2
UNGIL=$BUILD/ungil
T=${T:-}
ACCEPT=${ACCEPT:-}
export BUILD UNGIL T ACCEPT
if python=$(tests/ft-python.sh); then
    UNGIL_FT_PYTHON=$python
    export UNGIL_FT_PYTHON
else
    unset UNGIL_FT_PYTHON
fi
[ -x "$UNGIL" ] || { echo "tests/run.sh: $UNGIL does not exist; run make" >&2; exit 2; }

out=$BUILD/tests/out
mkdir -p "$out"
rm -f "$out"/*
passed=0 failed=0 skipped=0
: >"$out/failures"

# The closing line of a cmocka program, made from its marks. A crash leaves fewer marks than "Running N test(s)" announced.
cmocka_summary() {
    awk -v name="$1" -v status="$2" '
        /^\[==========\].* Running [0-9]+ test/ { for (i = 1; i < NF; i++) if ($i == "Running") planned += $(i + 1) }
        /^\[ +OK \]/      { p++ }
        /^\[  SKIPPED \] [^ ]+$/ && !listed { s++ }
        /^\[  FAILED  \] [^ ]+$/ && !listed { f++ }
        /^\[==========\].* test\(s\) run/ { listed = 1 }
        /^\[==========\].* Running/ { listed = 0 }
        END {
            if (p + s + f < planned) f += 1
            if (status != 0 && f == 0) f = 1
            printf "# suite %s: %d passed, %d failed, %d skipped\n", name, p, f, s
        }' "$3"
}

# $1 name, $2 program. The output goes to the terminal as it comes and into a file for counting.
run_suite() {
    log=$out/$1.log
    printf '\n== %s\n' "$1"
    { "$2" 2>&1 </dev/null; echo $? >"$out/status"; } | tee "$log"
    status=$(cat "$out/status")
    case $2 in
    "$BUILD"/tests/*)
        cmocka_summary "$1" "$status" "$log" | tee "$out/summary"
        cat "$out/summary" >>"$log"
        ;;
    esac
    numbers=$(tail -n 1 "$log" | sed -n 's/^# suite .*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
    if [ -z "$numbers" ]; then
        echo "FAIL $1: ended with status $status without its closing line" | tee -a "$log"
        numbers='0 1 0'
    elif [ "$status" != 0 ] && [ "$(echo "$numbers" | cut -d' ' -f2)" = 0 ]; then
        echo "FAIL $1: reported no failure but ended with status $status" | tee -a "$log"
        # shellcheck disable=SC2086 # three numbers
        set -- "$1" "$2" $numbers
        numbers="$3 1 $5"
    fi
    # shellcheck disable=SC2086
    set -- "$1" "$2" $numbers
    passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
    if [ "$4" != 0 ]; then
        { echo "-- $1: $4 failed"; grep -E '^(FAIL|not ok|\[  FAILED  \] [^ ]+$|\[   LINE   \]|.*ERROR: AddressSanitizer|.*runtime error:)' "$log" |
            awk '!seen[$0]++' | head -n 200; } >>"$out/failures"
    fi
}

for program in "$BUILD"/tests/test_*; do
    case $program in *.d | *'*') continue ;; esac
    # A program whose source is gone is left over from another branch.
    [ -e "tests/unit/$(basename "$program").c" ] || continue
    run_suite "$(basename "$program")" "$program"
done
for program in $(printf '%s\n' tests/suite_*.py tests/suite_*.sh | sort); do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    run_suite "${name%.*}" "$program"
done

if [ "$failed" != 0 ]; then
    printf '\n== What failed\n'
    cat "$out/failures"
fi
[ -n "${UNGIL_FT_PYTHON:-}" ] || printf '\nno free-threaded Python: tests that need one were skipped (tests/ft-python.sh --build makes one)\n'
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
