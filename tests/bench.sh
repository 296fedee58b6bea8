#!/bin/sh
# make bench: how long does a whole `ungil check` take, compared with tree-sitter's bare parse of the same files?
#
# The corpus is the standard library of the python3 on PATH (or the folder BENCH_DIR), copied without site-packages. Both programs
# are release builds with the same flags and use as many threads as there are processors. RUNS (3) interleaved runs, medians.
set -eu
cd "$(dirname "$0")/.."

: "${UNGIL:?run make bench}"
parse=$(dirname "$UNGIL")/bench_parse
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
UNGIL=$UNGIL PARSE=$parse WORK=$work python3 - <<'PYTHON'
import json, os, shutil, statistics, subprocess, sys, sysconfig, time
from pathlib import Path

ungil, parse, work = os.environ["UNGIL"], os.environ["PARSE"], Path(os.environ["WORK"])
source = Path(os.environ.get("BENCH_DIR") or sysconfig.get_paths()["stdlib"])
runs = int(os.environ.get("RUNS", 3))
jobs = str(os.cpu_count())

corpus = work / "corpus"
shutil.copytree(source, corpus, symlinks=True, ignore_dangling_symlinks=True, ignore=lambda folder, names: [
    n for n in names if n in ("site-packages", "__pycache__", ".git")
    or not (n.endswith(".py") or (Path(folder) / n).is_dir())])
files = sorted((p for p in corpus.rglob("*.py") if p.is_file()), key=lambda p: -p.stat().st_size)
listing = "".join(f"{p}\n" for p in files).encode()


def measure(command, stdin=b"", ok=(0,)):
    """Seconds of wall time, seconds of processor time, peak memory in MiB, standard output."""
    with open(work / "in", "wb") as f:
        f.write(stdin)
    with open(work / "in") as feed, open(work / "out", "w+") as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=feed, stdout=out, cwd=corpus)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in ok:
        sys.exit(f"bench: {' '.join(command)} ended with status {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, (work / "out").read_text()


check = [ungil, "check", "--exit-zero", "-q", "--isolated", "--no-cache", "--jobs", jobs]
bare, whole, proved = [], [], []
measure([parse, jobs], listing)  # warms the page cache
for _ in range(runs):
    bare.append(measure([parse, jobs], listing))
    whole.append(measure([*check, "."]))
    proved.append(measure([*check, "--format", "json", "."]))  # has edits, so each fix is proved

nfiles, nlines, nbytes = map(int, bare[0][3].split())
summary = json.loads(proved[0][3])["summary"]
median = lambda rows, column: statistics.median(row[column] for row in rows)

print(f"corpus       {nfiles} files, {nlines:,} lines, {nbytes / 1e6:.1f} MB ({source}); {jobs} threads, median of {runs}")
for name, rows in ("bare parse", bare), ("ungil check", whole), ("with edits", proved):
    print(f"{name:12} {median(rows, 0):7.3f} s wall {median(rows, 1):7.3f} s cpu {nlines / median(rows, 0):12,.0f} lines/s "
          f"{median(rows, 2):7.0f} MiB peak")
for name, rows in ("ratio", whole), ("with edits", proved):
    print(f"{name:12} {median(rows, 0) / median(bare, 0):7.2f} wall   {median(rows, 1) / median(bare, 1):7.2f} cpu")
if summary["files"] != nfiles:
    print(f"note         ungil analysed {summary['files']} files ({summary['lines']:,} lines), the bare parse {nfiles}")
PYTHON
