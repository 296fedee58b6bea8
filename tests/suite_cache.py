#!/usr/bin/env python3
"""The cache of facts: the same output with it and without it, whatever became of its files."""
import os
import sys
import time

import lib
from lib import read_file, read_tree, temporary, ungil, write_file, write_tree
from samples import CACHE, CLEAN, COUNTER

PROJECT = {"app/__init__.py": "", "app/counter.py": COUNTER, "app/store.py": CACHE, "app/util.py": CLEAN,
           "app/broken.py": "def f(:\n    x = = 2\n", "app/twin.py": COUNTER, "app/\u00fc.py": "\ufeff" + COUNTER.replace("\n", "\r\n")}


def entries(folder):
    return {name: data for name, data in read_tree(folder).items() if "/" in name}


class Case:
    def __init__(self, folder):
        self.project, self.cache = os.path.join(folder, "project"), os.path.join(folder, "cache")
        write_tree(self.project, PROJECT)
        self.want = self.check("--no-cache")

    def check(self, *options, command="check", **more):
        result = ungil(command, "--isolated", "--format", "json", *options, cwd=self.project, **more)
        report = result.json()
        del report["summary"]["seconds"]
        return result.code, report, result.err

    def cached(self, **more):
        return self.check("--cache-dir", self.cache, **more)


def test_same_output(s):
    with temporary() as folder:
        c = Case(folder)
        s.equal(os.path.exists(c.cache), False, "without a cache nothing is kept")
        s.equal(c.cached(), c.want, "a first run")
        kept = entries(c.cache)
        s.equal(len(kept), len({str(v) for v in PROJECT.values()}), "one entry for each text")
        s.equal(c.cached(), c.want, "a second run")
        s.equal(c.check("--cache-dir", c.cache, "--jobs", "1"), c.want, "a second run on one thread")
        s.equal(entries(c.cache), kept, "nothing is written twice")
        s.equal(read_file(os.path.join(c.cache, "CACHEDIR.TAG"))[:43], b"Signature: 8a477f597d28d172789f06886806bc55")
        s.equal(ungil("diff", "--isolated", "--cache-dir", c.cache, cwd=c.project).out,
                ungil("diff", "--isolated", "--no-cache", cwd=c.project).out, "the diff")


def test_moved(s):
    with temporary() as folder:
        c = Case(folder)
        c.cached()
        write_tree(c.project, {"other/name.py": PROJECT["app/broken.py"]})
        notes = [n["path"] for n in c.cached()[1]["notes"]]
        s.equal("other/name.py" in notes and "app/broken.py" in notes, True, "a known text in another place speaks of that place")
        os.unlink(os.path.join(c.project, "other/name.py"))
        write_file(os.path.join(c.project, "app/counter.py"), CLEAN)
        s.equal(c.cached(), c.check("--no-cache"), "a changed file is read again")


def test_damaged(s):
    with temporary() as folder:
        c = Case(folder)
        c.cached()
        good = entries(c.cache)

        def spoil(name, change):
            for path, data in good.items():
                write_file(os.path.join(c.cache, path), change(data))
            s.equal(c.cached(), c.want, name)
            if name != "of another text":
                s.equal(entries(c.cache), good, name + ": made good")

        other = dict(zip(good, list(good.values())[1:] + list(good.values())[:1]))
        spoil("cut short", lambda d: d[:len(d) // 2])
        spoil("empty", lambda d: b"")
        spoil("zeros", lambda d: bytes(len(d)))
        spoil("a bit in the middle", lambda d: d[:len(d) * 3 // 4] + bytes([d[len(d) * 3 // 4] ^ 16]) + d[len(d) * 3 // 4 + 1:])
        spoil("another version", lambda d: bytes([d[0] ^ 1]) + d[1:])
        for at in range(0, 200, 7):  # the head, byte for byte
            for path, data in good.items():
                write_file(os.path.join(c.cache, path), data[:at] + bytes([data[at] ^ 255]) + data[at + 1:])
            result = ungil("check", "--isolated", "--cache-dir", c.cache, cwd=c.project)
            if result.code not in (0, 1):
                s.equal(str(result), "exit 0 or 1", "byte %d of the head" % at)
                break
        else:
            s.equal(True, True, "no byte of the head makes it fall over")
        for path in good:
            write_file(os.path.join(c.cache, path), other[path])
        s.equal(c.cached(), c.want, "of another text")
        for path in good:
            os.unlink(os.path.join(c.cache, path))
            os.mkdir(os.path.join(c.cache, path))
        s.equal(c.cached(), c.want, "a folder in an entry's place")


def test_places(s):
    with temporary() as folder:
        c = Case(folder)
        env = lib.environment(XDG_CACHE_HOME=os.path.join(folder, "xdg"))
        s.equal(c.check(env=env), c.want, "the user's cache")
        s.equal(len(entries(os.path.join(folder, "xdg/ungil"))) > 0, True, "is where it belongs")
        env = lib.environment(XDG_CACHE_HOME="/dev/null/xdg")
        s.equal(c.check(env=env), c.want, "none that can be made: works without")
        refused = ungil("check", "--cache-dir", "/dev/null/x", cwd=c.project)
        s.equal((refused.code, "/dev/null" in refused.err), (2, True), "one that was asked for cannot be made")


def test_sweep(s):
    with temporary() as folder:
        c = Case(folder)
        c.cached()
        old = time.time() - 40 * 24 * 3600
        names = sorted(entries(c.cache))
        os.utime(os.path.join(c.cache, names[0]), (old, old))
        forgotten = os.path.join(c.cache, names[0][:3] + "0123456789abcd")
        write_file(forgotten, b"old")
        os.utime(forgotten, (old, old))
        os.utime(os.path.join(c.cache, "swept"), (old, old))
        c.cached()
        s.equal(os.path.exists(forgotten), False, "what nobody asked for in a month goes")
        s.equal(sorted(entries(c.cache)), names, "what is used stays")


if __name__ == "__main__":
    suite = lib.Suite("cache")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
