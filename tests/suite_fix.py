#!/usr/bin/env python3
"""`ungil fix`: --interactive on a pipe and on a terminal, --only, safety classes that the configuration changes; and fixed classes
that are pickled, copied or made otherwise than usual, run under this Python."""
import os
import pty
import select
import sys
import time

import lib
from lib import git, temporary, ungil, write_file, write_tree
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


def test_interactive_edit(c):
    with temporary() as folder:
        write_tree(folder, {"two.py": TWO})
        tool = os.path.join(folder, "tool.sh")
        write_file(tool, "#!/bin/sh\nsed -i 's/_hits_lock/_guard/' \"$1\"\n")
        os.chmod(tool, 0o755)
        answer(folder, "e\ny\n", EDITOR=tool, VISUAL="")
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
