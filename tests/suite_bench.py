#!/usr/bin/env python3
"""`ungil bench`: a script under two interpreters.

Most cases use shell scripts that answer as interpreters do, so that a GIL that comes back, a crash and an output that differs can
be had at will, without a free-threaded Python. The last ones run the real thing where there is one.
"""
import os
import re
import subprocess
import sys

import lib
from lib import temporary, ungil, write_file, write_tree

REAL = lib.FT_PYTHON or subprocess.run([os.path.join(lib.TESTS, "ft-python.sh")], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL).stdout.decode().strip()

# $1 is -c, $2 the probe or the launcher, $3 the script.
FAKE = """#!/bin/sh
case "$2" in *Py_GIL_DISABLED*) echo "$0"; echo %s; echo %d; exit 0;; esac
case "$2" in *_launch*) ;; *) echo "no launcher" >&2; exit 9;; esac
%s
"""
OFF = "echo 'start 0' >&3; echo 'end 0' >&3\n"


def fake(folder, name, body, version="3.14.0", free=1):
    path = os.path.join(folder, name)
    write_file(path, FAKE % (version, free, body))
    os.chmod(path, 0o755)
    return path


def bench(folder, *options, gil="echo same", free=OFF + "echo same", script=("script.py",), env=None, **more):
    write_tree(folder, {"script.py": "print('not run by the fakes')\n"})
    fake(folder, "gil", "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n\n" + gil, free=0)
    fake(folder, "free", "n=$(cat m 2>/dev/null || echo 0); echo $((n + 1)) >m\n" + free)
    return ungil("bench", "--gil", "./gil", "--free-threaded", "./free", *options, *script, cwd=folder,
                 env=lib.environment(**(env or {})), **more)


def judged(s, name, code, want, **more):
    """The verdict of both formats: exit status and (output, same_exit, gil_returned, gil_enabled_by)."""
    with temporary() as folder:
        result = bench(folder, "--format", "json", "--runs", "3", **more)
        s.equal(result.code, code, name + ": exit status\n%s" % result)
        o = result.json()
        s.equal((o["output"], o["same_exit"], o["gil_returned"], o["gil_enabled_by"]), want, name)
        return o


# --- The verdict -----------------------------------------------------------------------------------------------------------

def test_alike(s):
    o = judged(s, "alike", 0, ("same", True, False, []))
    s.equal(len(o["gil"]["runs"]), 3, "runs with the GIL")
    s.equal(len(o["free_threaded"]["runs"]), 3, "free-threaded runs")
    run = o["free_threaded"]["runs"][0]
    s.equal((run["exit_status"], run["signal"], run["timed_out"], run["output_bytes"], run["gil_at_start"], run["gil_at_end"]),
            (0, None, False, 5, False, False), "a run")
    s.check(run["peak"] > 1 << 18 and run["wall"] > 0 and o["speed_up"] > 0, lambda: "no measures: %s" % run)
    s.equal(o["first_difference"], None, "no difference")


def test_output(s):
    o = judged(s, "output differs once", 1, ("differs", True, False, []),
               free=OFF + "echo one; test $n = 1 && echo other || echo two", gil="echo one; echo two")
    s.equal(o["first_difference"], {"line": 2, "gil": "two", "free_threaded": "other"}, "the first difference")
    o = judged(s, "output is cut short", 1, ("differs", True, False, []), free=OFF + "echo one", gil="echo one; echo two")
    s.equal(o["first_difference"], {"line": 2, "gil": "two", "free_threaded": ""}, "a missing line")
    judged(s, "output varies with the GIL", 0, ("varies", True, False, []), gil="echo $n", free=OFF + "echo other")
    judged(s, "standard error is not compared", 0, ("same", True, False, []), gil="echo same; echo $n >&2")
    judged(s, "binary output", 0, ("same", True, False, []), gil="printf '\\377\\000x'", free=OFF + "printf '\\377\\000x'")
    judged(s, "output beyond what is kept", 1, ("differs", True, False, []),
           gil="head -c 5000000 /dev/zero", free=OFF + "head -c 5000001 /dev/zero")
    with temporary() as folder:
        result = bench(folder, "--runs", "1", gil="echo a", free=OFF + "echo b")
        s.check(result.code == 0 and "one run does not tell" in result.out, result)


def test_endings(s):
    o = judged(s, "a crash", 1, ("same", False, False, []), free="echo same; echo 'start 0' >&3; test $n = 2 && kill -SEGV $$; exit 0")
    s.equal([r["signal"] for r in o["free_threaded"]["runs"]], [None, None, 11], "the signal")
    s.equal([r["gil_at_end"] for r in o["free_threaded"]["runs"]], [None] * 3, "no exit handler, no answer")
    judged(s, "a failure", 1, ("same", False, False, []), free=OFF + "echo same; exit 1")
    judged(s, "the same failure", 0, ("same", True, False, []), free=OFF + "echo same; exit 3", gil="echo same; exit 3")
    with temporary() as folder:
        result = bench(folder, free=OFF + "echo same; printf 'Traceback\\nKeyError: \\033[31m1\\n' >&2; exit 1")
        s.check(result.code == 1 and "ended: DIFFERENTLY" in result.out and "free-threaded: exit status 1 in 5 of 5 runs" in result.out,
                result)
        s.check("KeyError: " in result.out and "\033" not in result.out, lambda: "control characters\n%s" % result)
    with temporary() as folder:
        result = bench(folder, "--exit-zero", free=OFF + "exit 1")
        s.equal(result.code, 0, "--exit-zero")


def test_gil(s):
    warning = "echo \"x.py:1: RuntimeWarning: The global interpreter lock (GIL) has been enabled to load module 'fast.core', which\" >&2\n"
    judged(s, "the GIL comes back", 1, ("same", True, True, ["fast.core"]),
           free="echo 'start 0' >&3; echo 'end 1' >&3; echo same\n" + warning)
    judged(s, "the GIL is on from the start", 1, ("same", True, True, []),
           free="echo 'start 1' >&3; echo 'end 1' >&3; echo same")
    with temporary() as folder:
        result = bench(folder, free="echo 'start 0' >&3; echo 'end 1' >&3; echo same\n" + warning)
        s.check("GIL: CAME BACK in 5 of 5 free-threaded runs; turned on by the import of fast.core" in result.out, result)
    with temporary() as folder:
        result = bench(folder, "-q")
        s.equal([line.split(":")[0] for line in result.out.split("\n")[:-1]], ["speed-up", "ended", "output", "GIL"], "-q")


def test_environment(s):
    """PYTHON_GIL=0 stops an interpreter that cannot do without the GIL; a free-threaded one plays its part with PYTHON_GIL=1."""
    show = "echo \"${PYTHON_GIL-unset} ${PYTHONHASHSEED-unset}\""
    with temporary() as folder:
        o = bench(folder, "--format", "json", gil=show, free=OFF + show, env={"PYTHON_GIL": "0"}).json()
        s.equal(o["first_difference"], {"line": 1, "gil": "unset 0", "free_threaded": "0 0"}, "PYTHON_GIL")
        o = bench(folder, "--format", "json", gil=show, free=OFF + show, env={"PYTHONHASHSEED": "7"}).json()
        s.equal(o["output"], "same", "PYTHONHASHSEED is left alone")
        fake(folder, "both", "echo \"$PYTHON_GIL\"; " + OFF)
        o = ungil("bench", "--format", "json", "--gil", "./both", "--free-threaded", "./both", "script.py", cwd=folder).json()
        s.equal(o["first_difference"], {"line": 1, "gil": "1", "free_threaded": ""}, "one interpreter as both")


# --- The command line ------------------------------------------------------------------------------------------------------

def test_arguments(s):
    with temporary() as folder:
        result = bench(folder, "--format", "json", "--runs", "1", gil="shift 2; echo \"$#:$*\"", free=OFF + "shift 2; echo \"$#:$*\"",
                       script=("script.py", "--runs", "x", "", "--help"))
        s.equal(result.json()["arguments"], ["--runs", "x", "", "--help"], "what follows the script is the script's")
        s.equal(result.json()["output"], "same", "arguments arrive")
        result = bench(folder, "-o", "out.json", "--format", "json")
        s.check(result.code == 0 and result.out == "" and b'"speed_up"' in lib.read_file(os.path.join(folder, "out.json")), result)


def test_errors(s):
    def fails(args, text, **env):
        with temporary() as folder:
            write_tree(folder, {"s.py": "pass\n", "other": "#!/bin/sh\nexit 0\n"})
            os.chmod(os.path.join(folder, "other"), 0o755)
            fake(folder, "gil", "echo", free=0)
            fake(folder, "free", OFF)
            result = ungil("bench", *args, cwd=folder, env=lib.environment(**env))
            s.check(result.code == 2 and re.search(text, result.err) and not result.out, lambda: "%s\nwant %s" % (result, text))

    both = ("--gil", "./gil", "--free-threaded", "./free")
    fails((), "needs a script")
    fails(("no.py",), "cannot read no.py")
    fails((".",), "not a regular file")
    fails(("--gil", "nowhere", "s.py"), "there is no program nowhere")
    fails(("--gil", "./gil", "--free-threaded", "./gone", "s.py"), "there is no program ./gone")
    fails(("--gil", "./gil", "--free-threaded", "./gil", "s.py"), "not a free-threaded build")
    fails(("--gil", "./gil", "--free-threaded", "./other", "s.py"), "does not answer as Python 3")
    fails(("--gil", "./gil", "s.py"), "no free-threaded Python found", PATH="/nonexistent")
    fails(("--gil", "./gil", "s.py"), "there is no program ./gone", UNGIL_FT_PYTHON="./gone")
    fails((*both, "--runs", "0", "s.py"), "--runs must be a number from 1")
    fails((*both, "--format", "html", "s.py"), "formats text and json")
    fails((*both, "-o", "no/such/file", "s.py"), "cannot write")


def test_time_limit(s):
    with temporary() as folder:
        result = bench(folder, "--runs", "1", "--time-limit", "1", free=OFF + "echo same; sleep 60 & sleep 60")
        s.check(result.code == 1 and "no end within 1 second in 1 of 1 runs" in result.out, result)
    with temporary() as folder:
        result = bench(folder, "--runs", "1", "--time-limit", "1", free="sleep 60", gil="sleep 60")
        s.check(result.code == 2 and "did not end within 1 seconds under either" in result.err, result)


# --- The launcher, under real interpreters -----------------------------------------------------------------------------------

SCRIPT = """\
import os, pickle, sys, threading
class C:
    pass
def late():
    threading.main_thread().join()
    print("thread", C.__name__)
threading.Thread(target=late).start()
assert pickle.loads(pickle.dumps(C)) is C
import beside
print(__name__, os.path.basename(__file__), os.path.isabs(__file__), sys.argv, sorted(n for n in globals() if n[:1] == "_"))
print(os.path.basename(sys.path[0]) == beside.folder, sys.stdin.read() == "")
sys.exit(3)
"""


def test_launcher(s):
    """The script sees what it would see if Python ran it: its name, its arguments, its folder, an end of its threads."""
    free = REAL or None
    with temporary() as folder:
        write_tree(folder, {"dir/s.py": SCRIPT, "dir/beside.py": "folder = 'dir'\n"})
        fake(folder, "free", "exec python3 \"$@\"")  # is the same Python when there is no other
        result = ungil("bench", "--format", "json", "--runs", "2", "--free-threaded", free or "./free", "dir/s.py", "a", cwd=folder)
        s.check(result.code in (0, 1), result)
        o = result.json()
        for side in ("gil", "free_threaded"):
            for run in o[side]["runs"]:
                s.equal((run["exit_status"], run["error"]), (3, None), side)
                s.equal(run["gil_at_end"], not (free and side == "free_threaded"), side + ": GIL")
        s.equal(o["output"], "same", "output")
        direct = lib.execute(["python3", "dir/s.py", "a"], cwd=folder)
        s.equal(o["gil"]["runs"][0]["output_bytes"], len(direct.raw), "as Python itself runs it\n%s" % direct)


def test_real(s):
    if not REAL:
        s.skip("real", "no free-threaded Python (tests/ft-python.sh --build)")
        return
    with temporary() as folder:
        write_tree(folder, {"race.py": "import sys, threading\nx = sys.flags\nprint('gil', sys._is_gil_enabled())\n", "bad.py": "def (\n"})
        result = ungil("bench", "--format", "json", "--gil", REAL, "--free-threaded", REAL, "race.py", cwd=folder)
        o = result.json()
        s.equal((result.code, o["output"], o["first_difference"]),
                (1, "differs", {"line": 1, "gil": "gil True", "free_threaded": "gil False"}), "one build, GIL on and off")
        result = ungil("bench", "--gil", REAL, "--free-threaded", REAL, "race.py", cwd=folder, env=lib.environment(PYTHON_GIL="1"))
        s.check(result.code == 1 and "GIL: ON from the start in 5 free-threaded runs" in result.out, result)
        result = ungil("bench", "--runs", "1", "--gil", REAL, "--free-threaded", REAL, "bad.py", cwd=folder)
        s.check(result.code == 0 and "exit status 1 in all runs" in result.out and "SyntaxError" in result.out, result)


if __name__ == "__main__":
    suite = lib.Suite("bench")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
