#!/usr/bin/env python3
"""`ungil fix`: --interactive on a pipe and on a terminal, --only, safety classes that the configuration changes; and fixed classes
that are pickled, copied or made otherwise than usual, run under this Python."""
import os
import pty
import select
import subprocess
import sys
import time

import lib
from lib import git, git_start, temporary, ungil, write_file, write_tree
from samples import CACHE

TWO = '''import threading

hits = 0
misses = 0


def hit():
    global hits
    hits += 1


def miss(names):
    global misses
    for name in names:
        misses += 1


def run():
    for _ in range(4):
        threading.Thread(target=hit).start()
        threading.Thread(target=miss, args=("ab",)).start()
'''
SLOW = '''import threading
import time

pages = {}


def load(key):
    if key not in pages:
        time.sleep(1)
        pages[key] = key
    return pages[key]


def run():
    for key in range(4):
        threading.Thread(target=load, args=(key,)).start()
'''


def findings(folder, *more):
    return ungil("check", "--format", "json", *more, cwd=folder).json()["findings"]


def text(folder, name="two.py"):
    return lib.read_file(os.path.join(folder, name)).decode()


def answer(folder, answers, *more, **env):
    return ungil("fix", "--interactive", *more, cwd=folder, input=answers.encode(), env=lib.environment(**env))


def test_interactive_pipe(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO, "cache.py": CACHE})
        c.code(answer(folder, "n\nn\nn\n"), 1)
        c.equal((text(folder), text(folder, "cache.py")), (TWO, CACHE), "refused fixes were written")
        answer(folder, "q\n")
        c.equal(text(folder, "cache.py"), CACHE, "written after quit")
        answer(folder, "")  # the end of the input is no answer
        c.equal(text(folder, "cache.py"), CACHE, "written without an answer")
        result = answer(folder, "what?\nn\nr\n")  # not the cache; every UG101
        c.has(result, "fixed 2 findings in 1 file")
        c.has(result, "UG104", "+    with _hits_lock:", "all of this [r]ule", stream="err")
        c.equal(text(folder, "cache.py"), CACHE)
        c.equal(text(folder).count("with _"), 2)
        c.equal([f["rule"] for f in findings(folder)], ["UG104"])


def test_interactive_long_answer(c):
    """A line is one answer, however long: what stands behind its first 63 characters does not answer the next question."""
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        for tail in ("a", "yyy"):
            result = answer(folder, "n" + "o" * 62 + tail + "\n")
            c.equal(text(folder), TWO, result)
            c.equal(result.err.count("[q]uit: "), 2)


def test_interactive_folder_of_odd_name(c):
    """The temporary file's path is one word for the shell, whatever is in it."""
    with temporary() as folder:
        odd = os.path.join(folder, "it's $(touch ran)")
        os.mkdir(odd)
        write_tree(folder, {"two.py": TWO, "tool.sh": "#!/bin/sh\nsed -i 's/_hits_lock/_guard/' \"$1\"\n"})
        os.chmod(os.path.join(folder, "tool.sh"), 0o755)
        edited = answer(folder, "e\nn\n", EDITOR=os.path.join(folder, "tool.sh"), VISUAL="", TMPDIR=odd)
        c.has(edited, "fixed 1 finding in 1 file")
        c.check("with _guard:" in text(folder), text(folder))
        c.equal(os.listdir(odd), [])
        c.check(not os.path.exists(os.path.join(folder, "ran")), "the name was run")


def test_interactive_edit(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        tool = os.path.join(folder, "tool.sh")
        write_file(tool, "#!/bin/sh\nsed -i 's/_hits_lock/_guard/' \"$1\"\n")
        os.chmod(tool, 0o755)
        edited = answer(folder, "e\ny\n", EDITOR=tool, VISUAL="")
        c.has(edited, "fixed 2 findings in 1 file")
        found = text(folder)
        c.check("with _guard:" in found and "_guard = threading.Lock()" in found and "with _misses_lock:" in found, found)
        c.check(lib.compiles(found.encode(), "two.py") is None, found)
        write_tree(folder, {"two.py": TWO})
        failed = answer(folder, "y\ne\n", EDITOR="false", VISUAL="")
        c.code(failed, 2)
        c.has(failed, "editor", stream="err")
        c.equal(text(folder), TWO, "written although the editor failed")
        # two fixes that meet in the same lines, one of them edited
        write_file(tool, "#!/bin/sh\nsed -i 's/^misses = 0/misses = 1/; s/^hits = 0/hits = 2/' \"$1\"\n")
        clash = answer(folder, "y\ne\n", EDITOR=tool, VISUAL="")
        c.check(clash.code in (1, 2), clash)
        if clash.code == 2:
            c.equal(text(folder), TWO, "half of a clash was written")


def test_interactive_edit_proved(c):
    """Text that comes back from the editor is written when it parses and the finding is gone; else that is said and asked about."""
    with temporary() as folder:
        tool = os.path.join(folder, "tool.sh")

        def edit(command, answers):
            write_tree(folder, {"two.py": TWO})
            write_file(tool, "#!/bin/sh\n%s \"$1\"\n" % command)
            os.chmod(tool, 0o755)
            return answer(folder, answers, EDITOR=tool, VISUAL="")

        broken = edit("sed -i 's/^def hit():/def hit(:/'", "e\nn\nn\n")
        c.has(broken, "two.py:", "a syntax error", "The edited text is no Python", stream="err")
        c.equal(text(folder), TWO, "text that is no Python was written")
        edit("sed -i 's/^def hit():/def hit(:/'", "e\ny\nq\n")  # y is no answer there
        c.equal(text(folder), TWO, "text that is no Python was written")
        racy = edit("sed -i 's/with _hits_lock:/if True:/'", "e\nn\nn\n")
        c.has(racy, "UG101 is still found", "Apply the edited text all the same?", stream="err")
        c.equal(text(folder), TWO, "text that is not proved was written unasked")
        taken = edit("sed -i 's/with _hits_lock:/if True:/'", "e\ny\nn\n")
        c.has(taken, "fixed 0 findings in 1 file")
        c.check("if True:" in text(folder), text(folder))
        other = edit("sed -i 's/with _hits_lock:/with threading.Lock():/'", "e\nn\nn\n")
        c.has(other, "still found", stream="err")
        good = edit("sed -i 's/_hits_lock/guard/'", "e\nn\n")
        c.has(good, "fixed 1 finding in 1 file")
        c.equal([f["state"] for f in findings(folder)], ["two.misses"])


def test_interactive_edit_emptied(c):
    """An editor that brings back nothing gives the fix up; one that brings back a small part of the file is asked about."""
    with temporary() as folder:
        tool = os.path.join(folder, "tool.sh")
        for command in (": >", "printf '\\n  \\n' >"):
            write_tree(folder, {"two.py": TWO})
            write_file(tool, "#!/bin/sh\n%s \"$1\"\n" % command)
            os.chmod(tool, 0o755)
            emptied = answer(folder, "e\nn\n", EDITOR=tool, VISUAL="")
            c.has(emptied, "is empty; this fix is not applied", stream="err")
            c.equal(text(folder), TWO, "the file was emptied")
            both = answer(folder, "e\ny\n", EDITOR=tool, VISUAL="")
            c.has(both, "fixed 1 finding in 1 file")
            c.check("with _misses_lock:" in text(folder) and "_hits_lock" not in text(folder), text(folder))
        write_tree(folder, {"two.py": TWO})
        write_file(tool, "#!/bin/sh\nsed -i '3,$d' \"$1\"\n")
        part = answer(folder, "e\nn\nn\n", EDITOR=tool, VISUAL="")
        c.has(part, "more than half of its lines are gone", "Apply the edited text all the same?", stream="err")
        c.equal(text(folder), TWO)


def test_interactive_halves(c):
    """A file that changes while the questions are asked keeps the other half of its fix from being written."""
    with temporary() as folder:
        write_tree(folder, {"state.py": "n = 0\n", "two.py": TWO, "work.py": """import threading
import state


def work():
    state.n += 1


for _ in range(4):
    threading.Thread(target=work).start()
"""})
        before = text(folder, "work.py")
        run = subprocess.Popen([lib.UNGIL, "fix", "-i", "--no-cache", "--isolated"], cwd=folder, env=lib.environment(),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while b"Apply" not in run.stderr.read1():
            pass
        with open(os.path.join(folder, "state.py"), "a") as f:
            f.write("# mine\n")
        out, err = run.communicate(b"a\n")
        c.equal(run.returncode, 2)
        c.check(b"state.py changed" in err and b"work.py is left as it is, too" in err, err.decode())
        c.equal(text(folder, "state.py"), "n = 0\n# mine\n")
        c.equal(text(folder, "work.py"), before, "half of a fix was written")
        c.check("_lock" in text(folder), "the other file should have been fixed")


def test_alternatives(c):
    """What else a fix might have been, in JSON and by explain; the other lock that was weighed is named with the reason."""
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO, "slow.py": SLOW})
        by_state = {f["state"]: f["fix"] for f in findings(folder)}
        hits, misses, pages = (by_state[s] for s in ("two.hits", "two.misses", "slow.pages"))
        c.equal((hits["lock"]["name"], hits["lock"]["kind"], hits["lock"]["new"]), ("two._hits_lock", "Lock", True))
        c.check("120 ns" in hits["price"], hits["price"])
        c.check(any("--prefer local-sum" in a["reason"] for a in misses["alternatives"]), misses["alternatives"])
        names = [a["what"] for a in misses["alternatives"]]
        c.check("an RLock in place of the Lock" in names and any("sum of its own" in n for n in names), names)
        c.check(not any("sum of its own" in a["what"] for a in hits["alternatives"]), "a sum where there is no loop")
        c.check(all(a["what"] and a["reason"] for f in by_state.values() for a in f["alternatives"]), by_state)
        c.check(any("test before the lock" in a["what"] for a in pages["alternatives"]), pages)
        told = ungil("explain", "two.py:%d" % (TWO[:TWO.index("misses += 1")].count("\n") + 1), cwd=folder)
        c.has(told, "fix of UG101 two.misses: guard-update, safe", "under two._misses_lock, a new Lock", "  price: about 120 ns", "  not an RLock")
        told = ungil("explain", "slow.py:%d" % (SLOW[:SLOW.index("pages[key] = ")].count("\n") + 1), cwd=folder)
        c.has(told, "unsafe: line 9 calls sleep()")
    with temporary() as folder:  # a lock that is there, and may not be taken twice
        write_tree(folder, {"two.py": NESTED})
        fix = findings(folder)[0]["fix"]
        c.equal(fix["lock"]["name"], "two.Box._b_lock")
        c.check(any(a["what"] == "two.Box._lock" and "cannot be taken twice" in a["reason"] for a in fix["alternatives"]), fix["alternatives"])


def test_preferred(c):
    """The transform that the configuration prefers is taken where it fits, elsewhere all is as before; a wrong name is an error."""
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        plain = {f["state"]: f["fix"] for f in findings(folder)}
        write_tree(folder, {"ungil.toml": 'prefer = ["local-sum"]\n'})
        fixes = {f["state"]: f["fix"] for f in findings(folder)}
        c.equal((plain["two.misses"]["transform"], fixes["two.misses"]["transform"]), ("guard-update", "local-sum"))
        c.equal(fixes["two.misses"]["safety"], "unsafe")
        c.check("others see the total only when the loop is over" in fixes["two.misses"]["reason"], fixes["two.misses"])
        c.equal(fixes["two.hits"]["edits"], plain["two.hits"]["edits"])
        c.check(not any("local-sum" in a["what"] for a in fixes["two.misses"]["alternatives"]), fixes["two.misses"])
        wrong = ungil("check", "--prefer", "sum", ".", cwd=folder)
        c.has(wrong, "there is no transform 'sum' to prefer", stream="err")
        c.code(wrong, 2)


NESTED = '''import threading


class Box:
    def __init__(self):
        self._lock = threading.Lock()
        self.a = 0
        self.b = 0

    def add(self):
        with self._lock:
            self.a += 1

    def low(self):
        if self.b < 0:
            self.b = 0

    def high(self):
        if self.b < 9:
            self.low()
            self.b += 1


box = Box()


def run():
    for _ in range(3):
        threading.Thread(target=box.add).start()
        threading.Thread(target=box.low).start()
        threading.Thread(target=box.high).start()
'''


def test_undo(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO, "cache.py": CACHE})
        git_start(folder)
        marks = {f["state"]: f["fingerprint"] for f in findings(folder)}
        ungil("fix", cwd=folder)
        c.equal(git("status", "--porcelain", cwd=folder).out, " M cache.py\n M two.py\n", "the journal is among the files")
        listed = ungil("undo", cwd=folder)
        c.code(listed, 0)
        c.has(listed, marks["two.hits"], "guard-update", "two.py", "UG104 cache.cache")
        fixed = text(folder)
        write_file(os.path.join(folder, "two.py"), '"""Later."""\n' + fixed.replace("range(4)", "range(8)"))  # edits elsewhere
        back = ungil("undo", marks["two.hits"], cwd=folder)
        c.code(back, 1)
        c.has(back, "took back guard-update: UG101 two.hits")
        wanted = '"""Later."""\n' + TWO.replace("range(4)", "range(8)").replace("misses = 0\n", "misses = 0\n_misses_lock = threading.Lock()\n", 1)
        c.equal(text(folder), wanted.replace("        misses += 1", "        with _misses_lock:\n            misses += 1"))
        c.equal([f["state"] for f in findings(folder)], ["two.hits"])
        again = ungil("undo", marks["two.hits"], cwd=folder)
        c.code(again, 2)
        c.has(again, "taken back already", stream="err")
        c.has(ungil("undo", "0123456789abcdef", cwd=folder), "the journal has no fix", stream="err")
        ungil("undo", marks["two.misses"][:8], marks["cache.cache"], cwd=folder)
        c.equal((text(folder), text(folder, "cache.py")), ('"""Later."""\n' + TWO.replace("range(4)", "range(8)"), CACHE))
        c.has(ungil("undo", cwd=folder), "no fix is written down here")


def test_undo_edited(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        git_start(folder)
        marks = {f["state"]: f["fingerprint"] for f in findings(folder)}
        ungil("fix", cwd=folder)
        for old, new in ((" hits += 1", " hits += 2\n\n            # and\n            print(hits)"), (" hits += 1", " hits += (1 +\n                     1)")):
            git("checkout", "two.py", cwd=folder)
            ungil("fix", cwd=folder)
            write_file(os.path.join(folder, "two.py"), text(folder).replace(old, new))
            ungil("undo", marks["two.misses"], marks["two.hits"], cwd=folder)
            c.equal(text(folder), TWO.replace(old, new.replace("\n    ", "\n")), "a with statement whose lines were edited")


def test_undo_moved(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO, "pack/other.py": "x = 1\n"})
        git_start(folder)
        marks = {f["state"]: f["fingerprint"] for f in findings(folder)}
        ungil("fix", cwd=folder)
        os.rename(os.path.join(folder, "two.py"), os.path.join(folder, "pack", "three.py"))  # as it was written
        ungil("undo", marks["two.misses"], cwd=folder)
        os.rename(os.path.join(folder, "pack", "three.py"), os.path.join(folder, "pack", "two.py"))  # by its name
        ungil("undo", marks["two.hits"], cwd=folder)
        c.equal(text(folder, "pack/two.py"), TWO)


def test_undo_conflict(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        git_start(folder)
        marks = {f["state"]: f["fingerprint"] for f in findings(folder)}
        ungil("fix", cwd=folder)
        changed = text(folder).replace("        hits += 1", '        hits += len("""\nx""")')
        write_file(os.path.join(folder, "two.py"), changed)
        both = ungil("undo", marks["two.misses"], marks["two.hits"], cwd=folder)
        c.code(both, 2)
        c.has(both, "two.py has been changed in the lines of this fix (UG101 two.hits)",
              "take out the line `with _hits_lock:` and one step of indentation under it", stream="err")
        c.equal(text(folder), changed, "one of two was taken back although the other could not be")
        git("checkout", "two.py", cwd=folder)
        gone = ungil("undo", marks["two.hits"], cwd=folder)
        c.code(gone, 2)
        c.has(gone, "is not there any more", stream="err")
        c.equal(text(folder), TWO)


SHARED_LOCK = '''import threading

total = 0
count = 0


def add(n):
    global total, count
    total += n
    count += 1


def reset():
    global total
    total = total - 1


def run():
    for _ in range(4):
        threading.Thread(target=add, args=(1,)).start()
        threading.Thread(target=reset).start()
'''


def test_undo_shared_lock(c):
    """A lock that two fixes share stays until the second is taken back; a lock that other code uses stays."""
    for order in (("total", "count"), ("count", "total")):
        with temporary() as folder:
            write_tree(folder, {"two.py": SHARED_LOCK})
            git_start(folder)
            marks = {f["state"]: f["fingerprint"] for f in findings(folder)}
            ungil("fix", cwd=folder)
            ungil("undo", marks["two." + order[0]], cwd=folder)
            c.check("_total_lock = threading.Lock()" in text(folder) and lib.compiles(text(folder).encode(), "two.py") is None, text(folder))
            c.check("two." + order[1] not in [f["state"] for f in findings(folder)], "the other fix was hurt")
            ungil("undo", marks["two." + order[1]], cwd=folder)
            c.equal(text(folder), SHARED_LOCK)
    with temporary() as folder:
        write_tree(folder, {"two.py": SHARED_LOCK})
        git_start(folder)
        marks = [f["fingerprint"] for f in findings(folder)]
        ungil("fix", cwd=folder)
        write_file(os.path.join(folder, "other.py"), "import two\n\n\ndef show():\n    with two._total_lock:\n        print(two.total)\n")
        ungil("undo", *marks, cwd=folder)
        c.equal(text(folder), SHARED_LOCK.replace("total = 0\n", "total = 0\n_total_lock = threading.Lock()\n", 1))


def test_undo_line_ends(c):
    """CRLF stays, and so does what was converted after the fix."""
    bare = TWO.replace("import threading", "import sys").replace("def run():\n", "def run():\n    import threading\n")
    with temporary() as folder:
        crlf = bare.replace("\n", "\r\n")
        write_tree(folder, {"two.py": crlf})
        marks = [f["fingerprint"] for f in findings(folder)]
        ungil("fix", cwd=folder)
        c.check("\r\nimport threading\r\n" in text(folder), text(folder))
        ungil("undo", *marks, cwd=folder)  # without a repository: the journal is in the cache
        c.equal(text(folder), crlf)
        write_file(os.path.join(folder, "two.py"), bare)
        ungil("fix", cwd=folder)
        write_file(os.path.join(folder, "two.py"), text(folder).replace("\n", "\r\n"))
        ungil("undo", *marks, cwd=folder)
        c.equal(text(folder), crlf)
        write_file(os.path.join(folder, "two.py"), bare)
        ungil("fix", cwd=folder)
        write_file(os.path.join(folder, "two.py"), text(folder).replace("import sys\n", "import os\nimport sys\n"))  # beside the import
        ungil("undo", *marks, cwd=folder)
        c.equal(text(folder), bare.replace("import sys\n", "import os\nimport sys\n"))


def test_undo_of_others(c):
    """Fixes of `commit`, of later rounds, and fixes that a person edited."""
    with temporary() as folder:
        write_tree(folder, {"app/two.py": TWO})
        git_start(folder)
        marks = {f["state"]: f["fingerprint"] for f in findings(os.path.join(folder, "app"))}
        ungil("commit", cwd=os.path.join(folder, "app"))
        ungil("undo", *marks.values(), cwd=folder)
        c.equal(text(folder, "app/two.py"), TWO)
        git("checkout", "app/two.py", cwd=folder)
        ungil("commit", "--branch", "nogil", cwd=folder)
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        tool = os.path.join(folder, "tool.sh")
        write_file(tool, "#!/bin/sh\nsed -i 's/_hits_lock/guard/' \"$1\"\n")
        os.chmod(tool, 0o755)
        git_start(folder)
        marks = {f["state"]: f["fingerprint"] for f in findings(folder)}
        answer(folder, "e\ny\n", EDITOR=tool, VISUAL="")
        both = text(folder)
        ungil("undo", marks["two.hits"], cwd=folder)
        c.check("guard" not in text(folder) and "_misses_lock" in text(folder), text(folder))
        write_file(os.path.join(folder, "two.py"), both)


def test_undo_journal_lost(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        git_start(folder)
        marks = [f["fingerprint"] for f in findings(folder)]
        ungil("fix", cwd=folder)
        fixed, kept = text(folder), os.path.join(folder, ".git", "ungil")
        path = os.path.join(kept, "journal.jsonl")
        lines = lib.read_file(path)
        write_file(path, b"{half a line\n" + lines + lines.splitlines()[0][:40])  # as a crash may leave it
        c.has(ungil("undo", cwd=folder), *marks)
        for name in os.listdir(os.path.join(kept, "texts")):
            os.remove(os.path.join(kept, "texts", name))
        lost = ungil("undo", marks[0], cwd=folder)
        c.code(lost, 2)
        c.has(lost, "no longer in the journal", stream="err")
        c.equal(text(folder), fixed)


def test_interactive_terminal(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        try:
            pid, fd = pty.fork()
        except OSError as e:
            return c.skip("no terminal to be had: %s" % e)
        if pid == 0:
            os.chdir(folder)
            os.execve(lib.UNGIL, ["ungil", "fix", "-i"], lib.environment())
        seen, answered, end = b"", 0, time.monotonic() + 60 * lib.SLOW
        while time.monotonic() < end:
            ready, _, _ = select.select([fd], [], [], 1)
            if not ready:
                continue
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
            if seen.count(b"[q]uit: ") > answered:
                answered += 1
                os.write(fd, b"y\n" if answered == 1 else b"q\n")
        os.close(fd)
        os.waitpid(pid, 0)
        c.equal(answered, 2, seen.decode("utf-8", "replace"))
        c.check("with _hits_lock:" in text(folder) and "with _misses_lock:" not in text(folder), text(folder))


def test_only(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO, "cache.py": CACHE})
        git_folder = folder
        lib.git_start(git_folder)
        prints = {f["state"]: f["fingerprint"] for f in findings(folder)}
        patch = ungil("diff", "--only", prints["two.misses"], cwd=folder)
        c.has(patch, "_misses_lock")
        c.lacks(patch, "_hits_lock", "cache.py")
        c.lacks(patch, "left:", stream="err")
        result = ungil("fix", "--only", prints["two.misses"], "--only", prints["cache.cache"], cwd=folder)
        c.has(result, "fixed 2 findings in 2 files")
        c.check("_hits_lock" not in text(folder), text(folder))
        again = ungil("fix", "--only", prints["two.misses"], cwd=folder)
        c.code(again, 2)
        c.has(again, prints["two.misses"], stream="err")
        git("commit", "-qam", "Fix", cwd=folder)
        done = ungil("commit", "--only", prints["two.hits"], cwd=folder)
        c.has(done, "1 commit for 1 finding")
        c.check("with _hits_lock:" in text(folder), text(folder))


def test_safety_classes(c):
    with temporary() as folder:
        write_tree(folder, {"slow.py": SLOW, "two.py": TWO})
        fixes = {f["state"]: f["fix"]["safety"] for f in findings(folder)}
        c.equal(fixes, {"slow.pages": "unsafe", "two.hits": "safe", "two.misses": "safe"})
        write_file(os.path.join(folder, "ungil.toml"), 'extend-safe-fixes = ["UG104"]\nextend-unsafe-fixes = ["UG101"]\n')
        found = findings(folder)
        c.equal({f["state"]: f["fix"]["safety"] for f in found}, {"slow.pages": "safe", "two.hits": "unsafe", "two.misses": "unsafe"})
        c.check(any("extend-unsafe-fixes" in f["fix"]["reason"] for f in found), found)
        ungil("fix", cwd=folder)
        c.equal(text(folder), TWO)
        c.check("with _pages_lock:" in text(folder, "slow.py"), text(folder, "slow.py"))
        both = findings(folder, "--extend-safe-fixes", "UG1", "--extend-unsafe-fixes", "UG101")
        c.check(all(f["fix"]["safety"] == "unsafe" for f in both), "extend-unsafe-fixes should win")
        write_file(os.path.join(folder, "ungil.toml"), 'select = ["UG1"]\nextend-save-fixes = ["UG104"]\n')
        wrong = ungil("check", cwd=folder)
        c.code(wrong, 2)
        c.has(wrong, "ungil.toml:2:", "extend-safe-fixes", stream="err")
        write_file(os.path.join(folder, "ungil.toml"), 'extend-safe-fixes = ["UG777"]\n')
        c.has(ungil("check", cwd=folder), "ungil.toml:1:", "UG777", stream="err")


HAZARDS = """import copy, pickle, sys
sys.path.insert(0, ".")
%s
print("ok")
"""


def runs(c, files, program):
    """Fixes the files and runs the program with them, before and after."""
    with temporary() as folder:
        write_tree(folder, files)
        write_file(os.path.join(folder, "go.py"), HAZARDS % program)
        before = lib.execute([sys.executable, "-B", "go.py"], cwd=folder)
        c.equal(before.out, "ok\n", before)
        c.code(ungil("fix", "--unsafe-fixes", cwd=folder), 1)
        after = lib.execute([sys.executable, "-B", "go.py"], cwd=folder)
        fixed = lib.read_tree(folder)
        c.check(any(b"Lock()" in fixed[n] for n in files), "nothing was fixed")
        c.equal(after.out, "ok\n", "%s\n%s" % (after, "\n".join(d.decode() for n, d in sorted(fixed.items()) if n in files)))


SHARED = '''import threading
%s


class Box%s:
%s
    def add(self):
        self.n += 1


box = Box(%s)


def run():
    for _ in range(3):
        threading.Thread(target=box.add).start()
'''
INIT = "    def __init__(self, n=0):\n        self.n = n\n"


def test_run_pickled(c):
    runs(c, {"box.py": SHARED % ("", "", INIT, "")},
         "from box import Box\nbox = Box(3)\nbox.add()\nfor b in (pickle.loads(pickle.dumps(box)), copy.copy(box), copy.deepcopy(box)):\n"
         "    b.add()\n    assert (b.n, box.n) == (5, 4)")


def test_run_slots(c):
    runs(c, {"box.py": SHARED % ("", "", "    __slots__ = ('n',)\n\n" + INIT, "")}, "from box import Box\nb = Box(1)\nb.add()\nassert b.n == 2")


def test_run_subclass(c):
    runs(c, {"box.py": SHARED % ("", "", INIT, "") + "\n\nclass Sub(Box):\n    def __init__(self):\n        self.n = 7\n"},
         "from box import Sub\nb = Sub()\nb.add()\nassert b.n == 8")


def test_run_dataclass(c):
    runs(c, {"box.py": SHARED.replace("class Box", "@dataclass\nclass Box") % ("from dataclasses import dataclass", "", "    n: int = 0\n", "")},
         "import dataclasses\nfrom box import Box\nb = Box(2)\nb.add()\nassert b == Box(3) and dataclasses.asdict(b) == {'n': 3}\n"
         "assert dataclasses.replace(b, n=1) == Box(1) and repr(b) == 'Box(n=3)' and pickle.loads(pickle.dumps(b)) == b == copy.deepcopy(b)")


def test_run_setattr(c):
    strict = "    def __setattr__(self, name, value):\n        assert name == 'n', name\n        object.__setattr__(self, name, value)\n\n"
    runs(c, {"box.py": SHARED % ("", "", strict + INIT, "")}, "from box import Box\nb = Box(2)\nb.add()\nassert b.n == 3")


def test_run_getattr(c):
    proxy = "    def __getattr__(self, name):\n        if name.startswith('__'):\n            raise AttributeError(name)\n        return getattr(self.n, name)\n\n"
    runs(c, {"box.py": SHARED % ("", "", proxy + INIT, "")},
         "from box import Box\nb = copy.copy(Box(2))\nb.add()\nassert b.n == 3 and b.bit_length() == 2")


def main():
    suite = lib.Suite("fix")
    suite.run_module(sys.modules[__name__])
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
