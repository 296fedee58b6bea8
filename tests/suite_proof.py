#!/usr/bin/env python3
"""Proofs by running: under a free-threaded Python with threads hammering, the program before the fix loses, and after it does not.

tests/proofs/NAME.py hammers fixtures/proofs/NAME.before.py until it sees a loss, then the same program as `ungil fix` leaves
it (not the after file), for at least as many attempts. Without a free-threaded Python everything is skipped and counted as skipped.
"""
import os
import re
import subprocess
import sys

import lib

PROOFS = os.path.join(lib.TESTS, "proofs")
SECONDS = 12  # to lose in; most do in the first attempt
ATTEMPTS = 2000
FAIR = 3  # the fixed program gets this many times the attempts that the loss took, and at least TRIES
TRIES = 15


def find_python():
    """The one that tests/run.sh found, or the one that tests/ft-python.sh knows of."""
    if lib.FT_PYTHON:
        return lib.FT_PYTHON
    script = os.path.join(lib.TESTS, "ft-python.sh")
    if os.access(script, os.X_OK):
        found = subprocess.run([script], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        if found.returncode == 0:
            return found.stdout.decode().strip()
    return ""


def hammer(python, proof, subject, attempts, seconds):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(PYTHON_GIL="0", PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=PROOFS)
    args = [python, os.path.join(PROOFS, proof + ".py"), subject, str(attempts), str(seconds)]
    try:
        done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        return None, "out of time", 0
    text = done.stdout.decode("utf-8", "replace").strip()
    m = re.search(r"attempt (\d+)|(\d+) attempts", text)
    return done.returncode, text, int(m.group(1) or m.group(2)) if m else 0


def prove(suite, python, name):
    marked = lib.read_file(os.path.join(lib.FIXTURES, "proofs", name + ".before.py"))
    with lib.temporary() as folder:
        before, after = os.path.join(folder, "before", name + ".py"), os.path.join(folder, "after", name + ".py")
        text = lib.take_marks(name, marked)[0]
        lib.write_file(before, text)
        lib.write_file(after, text)
        status, said, needed = hammer(python, name, before, ATTEMPTS, SECONDS)
        if not suite.check(name + " before", status == 1, "the program before the fix did not lose (status %s): %s" % (status, said)):
            return
        print("%-18s before: %s" % (name, said.split("\n")[-1]))
        fixed = lib.ungil("fix", "--no-cache", *lib.first_line_options(marked), ".", cwd=os.path.dirname(after))
        if lib.read_file(after) == text:
            suite.fail(name + " after", "fix changes nothing\n%s" % fixed)
            return
        status, said, _ = hammer(python, name, after, max(TRIES, FAIR * needed), 3 * SECONDS)
        suite.check(name + " after", status == 0, lambda: "the fixed program loses (status %s): %s\n%s" % (
            status, said, lib.difference(text, lib.read_file(after), ("before", "after"))))
        print("%-18s after:  %s" % (name, said.split("\n")[-1]))


def main():
    suite = lib.Suite("proof")
    names = sorted(f[:-3] for f in os.listdir(PROOFS) if f.endswith(".py") and f != "hammer.py")
    names = [n for n in names if suite.wanted(n)]
    python = find_python()
    for name in names:
        if python:
            prove(suite, python, name)
        else:
            suite.skip(name, "no free-threaded Python")
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
