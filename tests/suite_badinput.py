#!/usr/bin/env python3
"""Input as the world has it: damaged, hostile, unreadable, too big. Never a crash, always a word about the file, nothing half-written.

Each case puts one bad file beside one good file with a race in it. The run has to find that race (the rest of the run goes
on), name the bad file where it says what was not analysed, and leave it as it is when told to fix.
"""
import contextlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
import xml.dom.minidom

import lib
from lib import git, temporary, ungil, write_file, write_tree
from samples import COUNTER as GOOD

RACY_TAIL = "\nimport threading\ntotal = 0\n\n\ndef bump():\n    global total\n    total += 1\n\n\nfor _ in range(3):\n    threading.Thread(target=bump).start()\n"


def limited():
    """Stops a run that would eat the machine: 4 GiB of addresses and no core files. A sanitizer build reserves far more than it uses."""
    if lib.SLOW == 1:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(c, folder, *args, codes=(0, 1), timeout=30, input=None):
    result = ungil(*args, cwd=folder, timeout=timeout, limit=limited, input=input)
    c.check(result.code in codes, lambda: "expected exit %s\n%s" % (" or ".join(map(str, codes)), result))
    return result


def with_bad_file(c, data, name="bad.py", note=True, codes=(0, 1), fixable=False, timeout=30):
    """Runs check, diff and fix over the bad file and a good one. Returns the JSON of check."""
    with temporary() as folder:
        write_tree(folder, {"good.py": GOOD, name: data})
        raw = data.encode() if isinstance(data, str) else data
        checked = run(c, folder, "check", "--no-cache", "--format", "json", codes=codes, timeout=timeout)
        try:
            report = checked.json()
        except ValueError as e:
            c.check(False, "no JSON: %s\n%s" % (e, checked))
            return None
        c.check(any(f["path"] == "good.py" for f in report["findings"]), lambda: "the race in the good file was not found\n%s" % checked)
        notes = [n for n in report["notes"] if n["path"] == name]
        c.check(bool(notes) == note or note is None, lambda: "notes about %s: %s" % (name, report["notes"]))
        c.check(all(n.get("code") and n.get("message") for n in notes), notes)
        if note:
            text = run(c, folder, "check", "--no-cache", codes=codes, timeout=timeout)
            c.has(text, name, stream="both")
        if fixable is None:
            return report
        run(c, folder, "fix", "--no-cache", codes=codes, timeout=timeout)
        after = lib.read_file(os.path.join(folder, name))
        if fixable:
            c.check(after != raw, "the bad file's race should have been fixed")
        else:
            c.check(after == raw, lambda: "the bad file was changed\n" + lib.difference(raw, after))
        c.check(b"_lock" in lib.read_file(os.path.join(folder, "good.py")), "the good file was not fixed")
        return report


# --- Bytes ------------------------------------------------------------------------------------------------------------------

def test_empty(c):
    with_bad_file(c, b"", note=False)
    with_bad_file(c, b"\n", note=False)
    with_bad_file(c, b"\xef\xbb\xbf", note=None)
    with_bad_file(c, b"# only a comment", note=False)
    with_bad_file(c, b"\\", note=None)
    with_bad_file(c, b"\\\n\\\n", note=None)


def test_no_file_at_all(c):
    with temporary() as folder:
        result = run(c, folder, "check", codes=(0, 2))
        c.check(result.code == 0 or result.err, result)


def test_binary(c):
    with_bad_file(c, bytes(range(256)) * 40)
    with_bad_file(c, b"\x7fELF\x02\x01\x01" + bytes(500))


def test_nul(c):
    with_bad_file(c, RACY_TAIL.replace("total = 0", "total = 0  # \0").encode())
    with_bad_file(c, b"\0")


def test_wrong_encoding(c):
    with_bad_file(c, ("# caf\xe9" + RACY_TAIL).encode("latin-1"))
    with_bad_file(c, RACY_TAIL.encode("utf-16"))
    with_bad_file(c, b"x = '\xed\xa0\x80'\n" + RACY_TAIL.encode(), note=None)
    with_bad_file(c, b"x = '\xc0\xaf'\n" + RACY_TAIL.encode())
    with_bad_file(c, RACY_TAIL.encode() + b"# \xf0\x9f")


def test_coding_cookie(c):
    """A file that says which encoding it is in: read it right, or leave it alone and say so."""
    for cookie, encoding in (("latin-1", "latin-1"), ("iso-8859-15", "iso-8859-15"), ("cp1252", "cp1252"), ("koi8-r", "koi8-r")):
        raw = ("# -*- coding: %s -*-\nname = '\u0434'\n" % cookie if encoding == "koi8-r" else "# -*- coding: %s -*-\nname = 'caf\xe9'\n" % cookie) + RACY_TAIL
        raw = raw.encode(encoding)
        with temporary() as folder:
            write_tree(folder, {"good.py": GOOD, "bad.py": raw})
            report = run(c, folder, "check", "--no-cache", "--format", "json").json()
            about = [n for n in report["notes"] if n["path"] == "bad.py"] + [f for f in report["findings"] if f["path"] == "bad.py"]
            c.check(about, "%s: neither a finding nor a note" % cookie)
            run(c, folder, "fix", "--no-cache")
            after = lib.read_file(os.path.join(folder, "bad.py"))
            c.check(after == raw or (not lib.compiles(after, "bad.py") and b"_lock" in after), "%s: broken by fix" % cookie)
    with_bad_file(c, "# coding: no-such-codec\n" + RACY_TAIL, note=True, fixable=None)
    with_bad_file(c, "# vim: set fileencoding=utf-8 :\n" + RACY_TAIL, note=False, fixable=True)
    with_bad_file(c, b"\xef\xbb\xbf" + RACY_TAIL.encode(), note=False, fixable=True)


def test_line_ends(c):
    with_bad_file(c, RACY_TAIL.replace("\n", "\r"), note=None, fixable=None)
    with_bad_file(c, RACY_TAIL.replace("\n", "\r\n"), note=False, fixable=True)
    with_bad_file(c, RACY_TAIL.replace("\n\n", "\r\n\n"), note=False, fixable=True)
    with_bad_file(c, RACY_TAIL.replace("\n\n\n", "\n\f\n\x0b\n"), note=None, fixable=None)


# --- Syntax -----------------------------------------------------------------------------------------------------------------

def test_syntax_errors(c):
    for text in ("def f(:\n    pass\n", "x = (1,\n", "'''never closed\n", "class\n",
                 "}])\n", "return = 5\n", "@\n", "f'{'\n", "x = 1 +\n", "\u20ac = 1 ? 2\n", "del\n", "lambda\n" * 50):
        with_bad_file(c, text, note=True)
    # The grammar takes these, although Python does not.
    for text in ("if True:\npass\n", "  x = 1\n y = 2\n", "def f():\n\tif x:\n        y\n"):
        with_bad_file(c, text, note=None)


def test_error_beside_race(c):
    """Code round an error is analysed; the function that holds it is not edited."""
    with_bad_file(c, "def broken(x:\n    return x\n\n" + RACY_TAIL, note=True, fixable=None)
    with temporary() as folder:
        text = RACY_TAIL.replace("    total += 1\n", "    total += 1\n    x = = 2\n")
        write_file(os.path.join(folder, "bad.py"), text)
        run(c, folder, "fix", "--no-cache")
        c.equal(lib.read_file(os.path.join(folder, "bad.py")).decode(), text, "the function with the error was edited")


def test_python2(c):
    with_bad_file(c, 'print "hello"\nexec "x = 1"\ntry:\n    raise ValueError, "no"\nexcept ValueError, e:\n    print >>f, `e`, 0777, 1L, ur"x"\nif 1 <> 2: pass\n', note=None)


def test_new_syntax(c):
    for name, text in (("type parameter default", "class Box[T = int]:\n    pass\n\n\ndef f[T: int = bool](x: T) -> T:\n    return x\n\n\ntype Pair[T = str] = tuple[T, T]\n"),
                       ("template string", 'name = "x"\nt = t"hello {name!r:>{10}}"\n'),
                       ("except without parentheses", "try:\n    pass\nexcept ValueError, KeyError:\n    pass\n"),
                       ("exception group", "try:\n    pass\nexcept* (ValueError, KeyError) as group:\n    pass\n"),
                       ("nested quotes", "d = {'a': 1}\ns = f'{d['a']} {f'{1}'}'\n"),
                       ("type alias", "type Point = tuple[float, float]\ntype = 5\nmatch = case = _ = 1\nprint(type, match)\n"),
                       ("walrus, star", "def f(a, /, *b, c=(d := 1)):\n    return [*b, *c]\n\nx[*a, 1:2] = 3\n")):
        with temporary() as folder:
            write_tree(folder, {"good.py": GOOD, "new.py": text + RACY_TAIL})
            checked = run(c, folder, "check", "--no-cache", "--format", "json")
            c.check(any(f["path"] == "new.py" for f in checked.json()["findings"]), lambda: "%s hides the race after it\n%s" % (name, checked))
            run(c, folder, "fix", "--no-cache")
            after = lib.read_file(os.path.join(folder, "new.py")).decode()
            c.check(after.startswith(text.split("\n")[0]) and text.rstrip("\n") in after.replace("import threading\n", ""), lambda: "%s: the new syntax was changed\n%s" % (name, after))


# --- Size and depth ---------------------------------------------------------------------------------------------------------

def test_long_line(c):
    with_bad_file(c, "x = '" + "a" * 10_000_000 + "'\n" + RACY_TAIL, note=None, fixable=None, timeout=60)
    with_bad_file(c, "x = [" + "1, " * 3_300_000 + "]\n" + RACY_TAIL, note=None, fixable=None, timeout=60)


def test_endless_errors(c):
    """The parser's repair takes time that grows with the square of the errors; it is stopped after 20 seconds."""
    report = with_bad_file(c, "x=1 " * 200_000 + "\n" + RACY_TAIL, note=None, fixable=None, timeout=60)
    c.equal([n["code"] for n in report["notes"] if n["path"] == "bad.py"], ["too-slow"])


def test_bases_in_a_circle(c):
    """Python refuses such classes when it runs them; who is half-way through a change of names has them."""
    with_bad_file(c, "from flask import Flask\n\napp = Flask(__name__)\n\n\nclass A(B):\n    def __init__(self):\n        self.n = 1\n\n\n"
                  "class B(C):\n    def __init__(self):\n        self.n = 2\n\n\nclass C(B):\n    def __init__(self):\n        self.n = 3\n\n\n"
                  "a, b, c = A(), B(), C()\n", note=None, timeout=60)


def test_many_lines(c):
    with_bad_file(c, "\n" * 3_000_000, note=None, timeout=60)
    with_bad_file(c, "x = 1\n" * 300_000 + RACY_TAIL, note=None, fixable=None, timeout=60)


def counters(n):
    """n functions that change one global, a fifth of them with the lock, and n that fill one table."""
    take = "    with lock:\n        counter += 1\n"
    each = ["\n\ndef bump%d():\n    global counter\n%s" % (i, take if i % 5 == 0 else "    counter += 1\n") for i in range(n)]
    tables = ["\n\ndef look%d(key):\n    if key not in table:\n        table[key] = [%d]\n    return table[key]\n" % (i, i) for i in range(n)]
    return ("import threading\n\ncounter = 0\ntable = {}\nlock = threading.Lock()\n" + "".join(each) + "".join(tables) + "\n\ndef work():\n"
            + "".join("    bump%d()\n    look%d(1)\n" % (i, i) for i in range(n)) + "\n\nfor _ in range(4):\n    threading.Thread(target=work).start()\n")


def test_one_state_many_places(c):
    """Thousands of functions that change one state: planned and proved like few, in a time that somebody waits."""
    with temporary() as folder:
        write_tree(folder, {"app.py": counters(4000)})
        result = run(c, folder, "diff", "--no-cache", timeout=120)
        c.check(result.code == 1 and result.out.count("+    with ") == 3200, lambda: "%d lines of diff" % result.out.count("\n"))


def test_deep_nesting(c):
    n = 10_000
    for name, text in (("parentheses", "x = " + "(" * n + "1" + ")" * n), ("lists", "x = " + "[" * n + "]" * n), ("unclosed", "x = " + "[" * n),
                       ("dicts", "x = " + "{1:" * n + "2" + "}" * n), ("calls", "x = " + "f(" * n + ")" * n), ("closing", ")" * n),
                       ("ifs", "".join(" " * i + "if x:\n" for i in range(1000)) + " " * 1000 + "pass"),
                       ("attributes", "x = a" + ".b" * n), ("subscripts", "x = a" + "[0]" * n), ("minus", "x = " + "-" * n + "1"),
                       ("not", "x = " + "not " * n + "1"), ("sum", "x = " + "1 + " * n + "1"), ("lambda", "x = " + "lambda: " * n + "1"),
                       ("strings", "x = " + "'a' " * n), ("f-strings", "x = " + "f'{" * 200 + "}'" * 200),
                       ("elif", "if x:\n    pass\n" + "elif y:\n    pass\n" * n), ("decorators", "@d\n" * n + "def f(): pass"),
                       ("conditional", "x = " + "1 if y else " * n + "2"), ("await", "async def f():\n    " + "await " * n + "x"),
                       ("comparison", "x = " + "a < " * n + "b"), ("chain", "x = " * n + "1")):
        with temporary() as folder:
            write_tree(folder, {"good.py": GOOD, "deep.py": text + "\n"})
            for command in ("check", "fix"):
                result = ungil(command, "--no-cache", cwd=folder, timeout=30, limit=limited)
                c.check(result.code in (0, 1), lambda: "%s 10,000 deep (%s)\n%s" % (name, command, result))


def test_deep_blocks(c):
    """Indented by one character a level: 10,000 levels are 50 MB of text, 3,000 are deep enough for any stack."""
    for unit, n in ((" ", 3000), ("\t", 3000)):
        text = "".join(unit * i + "if x:\n" for i in range(n)) + unit * n + "pass\n"
        with_bad_file(c, text, note=None, fixable=None, timeout=60)
    text = "".join(" " * i + "def f():\n" for i in range(1000)) + " " * 1000 + "pass\n"
    with_bad_file(c, text, note=None, fixable=None, timeout=60)
    text = "".join(" " * i + "class C:\n" for i in range(1000)) + " " * 1000 + "pass\n"
    with_bad_file(c, text, note=None, fixable=None, timeout=60)


def test_many_names(c):
    """Growth that is worse than linear shows in files that generators write."""
    text = "import threading\n" + "".join("g%d = 0\n\n\ndef f%d():\n    global g%d\n    g%d += 1\n" % ((i,) * 4) for i in range(5000))
    with_bad_file(c, text, note=None, fixable=None, timeout=60)
    text = "import threading\nd = {}\n\n\ndef f(k):\n" + "".join("    if k not in d:\n        d[k] = %d\n" % i for i in range(3000)) + "\n\nthreading.Thread(target=f).start()\n"
    with_bad_file(c, text, note=None, fixable=None, timeout=60)


def test_many_branches(c):
    """One chain of elif whose branches all set one global: each store stands in a block of its own, as deep as its place in the chain."""
    chain = "".join("    elif x == %d:\n        x = %d\n" % (i, i) for i in range(10_000))
    text = "import threading\n\nx = 0\n\n\ndef work():\n    global x\n    if x == 0:\n        x = 1\n" + chain + "\n\nfor _ in range(2):\n    threading.Thread(target=work).start()\n"
    with_bad_file(c, text, note=None, fixable=None, timeout=60)


def test_many_locks(c):
    """Hundreds of locks that are taken in each other: alone, in both orders, and in both orders where no two threads meet."""
    n = 120
    for gate, back in (("", False), ("", True), ("gate, ", True)):
        names = ["l%d" % i for i in range(n)]
        text = "import threading\n\ngate = threading.Lock()\n" + "".join("%s = threading.Lock()\n" % name for name in names)
        for name, order in (("f", names), ("b", names[::-1] if back else names)):
            text += "\n\ndef %s():\n    with %s%s:\n        pass\n\n\nthreading.Thread(target=%s).start()\n" % (name, gate, ", ".join(order), name)
        with temporary() as folder:
            write_tree(folder, {"a.py": text})
            report = run(c, folder, "check", "--no-cache", "--format", "json", timeout=60).json()
            c.equal(len(report["findings"]), n * (n - 1) // 2 if back and not gate else 0)
            run(c, folder, "diff", "--no-cache", timeout=60)


# --- The file system --------------------------------------------------------------------------------------------------------

def test_symlink_loop(c):
    with temporary() as folder:
        write_tree(folder, {"good.py": GOOD, "sub/more.py": GOOD})
        os.symlink("..", os.path.join(folder, "sub/up"))
        os.symlink("a.py", os.path.join(folder, "b.py"))
        os.symlink("b.py", os.path.join(folder, "a.py"))
        os.symlink("nowhere.py", os.path.join(folder, "dangling.py"))
        report = run(c, folder, "check", "--no-cache", "--format", "json").json()
        c.equal(sorted({f["path"] for f in report["findings"]}), ["good.py", "sub/more.py"])
        result = ungil("check", "a.py", cwd=folder)
        c.check(result.code in (0, 2) and "a.py" in result.out + result.err, result)


def test_patterns_of_many_stars(c):
    """What a repository says is left out comes from strangers: time must not double with each star."""
    deep, long = "x/" * 40, "a" * 150 + ".py"
    for name, text in (("pyproject.toml", '[tool.ungil]\nexclude = ["**/%sb", "%sy"]\n' % ("*a" * 20, "**/x/" * 20)),
                       (".gitignore", "%sb\n%sy\n" % ("*a" * 20, "**/x/" * 20))):
        with temporary() as folder:
            write_tree(folder, {"good.py": GOOD, deep + long: GOOD, name: text})
            git("init", "-q", "--template=", cwd=folder)  # git's own add would not end
            report = run(c, folder, "check", "--no-cache", "--format", "json").json()
            c.equal(sorted({f["path"] for f in report["findings"]}), ["good.py", deep + long])


def test_outside_of_root(c):
    with temporary() as folder:
        write_tree(folder, {"inside/a.py": GOOD, "outside/b.py": GOOD})
        result = run(c, os.path.join(folder, "inside"), "check", "--root", ".", "../outside/b.py", codes=(2,))
        c.has(result, "outside", stream="err")
        os.symlink("../outside", os.path.join(folder, "inside/link"))
        run(c, os.path.join(folder, "inside"), "fix", "--root", ".")
        c.equal(lib.read_file(os.path.join(folder, "outside/b.py")).decode(), GOOD, "fix followed a link out of the root")


def test_odd_files(c):
    with temporary() as folder:
        write_tree(folder, {"good.py": GOOD, "folder.py/inner.py": GOOD})
        os.mkfifo(os.path.join(folder, "pipe.py"))
        report = run(c, folder, "check", "--no-cache", "--format", "json").json()
        c.equal(sorted({f["path"] for f in report["findings"]}), ["folder.py/inner.py", "good.py"])


def test_odd_names(c):
    with temporary() as folder:
        names = ["a b.py", "-dash.py", "new\nline.py", "quote'\".py", "\u65e5\u672c.py", "x" * 200 + ".py"]
        for name in names:
            write_file(os.path.join(folder, name), GOOD)
        with open(os.path.join(os.fsencode(folder), b"not-utf8-\xff.py"), "wb") as f:
            f.write(GOOD.encode())
        checked = run(c, folder, "check", "--no-cache", "--format", "json")
        try:
            paths = {f["path"] for f in json.loads(checked.raw.decode("utf-8"))["findings"]}
            c.check(set(names) <= paths, sorted(set(names) - paths))
        except ValueError as e:
            c.check(False, "the JSON is not UTF-8: %s" % e)
        run(c, folder, "fix", "--no-cache")
        c.check(all(b"_lock" in lib.read_file(os.path.join(folder, n)) for n in names), "not all were fixed")


def test_hostile_names(c):
    """No output holds what is not UTF-8, what its format forbids or what a terminal would obey, whatever a file is called."""
    names = [b"esc-\x1b[31m.py", b"new\nline.py", b"not-utf8-\xff\xc3.py", b"c1-\xc2\x9b31m.py", b"del-\x7f.py", b"bidi-\xe2\x80\xae.py", b"<&'\">.py", b"|`*.py", b"%0A,:.py"]
    with temporary() as folder:
        for name in names:
            with open(os.path.join(os.fsencode(folder), name), "wb") as f:
                f.write(GOOD.encode())
        with open(os.path.join(os.fsencode(folder), b"broken-\xff\x1b.py"), "wb") as f:
            f.write(b"x = '\xff'\n")
        lib.git_start(folder)

        def clean(result, args):
            for stream in (result.raw, result.err.encode("utf-8", "surrogateescape")):
                data = args in ("json", "jsonl", "sarif", "rdjson", "gitlab")
                c.check(b"\x1b" not in stream and (data or b"\xc2\x9b" not in stream), "a control character in %r" % args)
                try:
                    stream.decode()
                except UnicodeDecodeError as e:
                    c.check(False, "%r: %s" % (args, e))
            return result.raw

        for form in ("text", "concise", "json", "jsonl", "sarif", "rdjson", "github", "gitlab", "junit", "markdown", "html"):
            out = clean(run(c, folder, "check", "--no-cache", "--format", form), form)
            if form == "junit":
                suites = xml.dom.minidom.parseString(out).getElementsByTagName("testsuite")
                c.check(len(suites) >= len(names), out)
            elif form in ("json", "sarif", "rdjson", "gitlab"):
                json.loads(out)
            elif form in ("concise", "github"):
                c.equal(len([line for line in out.splitlines() if b"UG101" in line]), len(names), form)
                c.check(form == "concise" or len(out.splitlines()) == len(names), out)
        for args in (["guards"], ["explain", "esc-\x1b[31m.py:9"], ["report"], ["plan"], ["check", "no-\x1b.py"], ["check", "-v"], ["baseline"]):
            clean(run(c, folder, *args, codes=(0, 1, 2)), args)
        asked = run(c, folder, "fix", "-i", codes=(0, 1), input=b"a\n")
        clean(asked, "fix -i")
        c.has(asked, "fixed %d findings" % len(names))
        clean(run(c, folder, "undo", codes=(0,)), "undo")
        git("checkout", "-q", ".", cwd=folder)
        c.code(ungil("commit", cwd=folder), 1)
        c.check(b"\x1b" not in git("log", "--format=%B", cwd=folder).raw, "a control character in a commit message")


def as_nobody():
    """Runs the program as a user without root's rights."""
    limited()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


@contextlib.contextmanager
def for_nobody():
    """A folder, and the program in it, that the user nobody can use; chmod means nothing to root."""
    with temporary() as folder:
        os.chmod(folder, 0o777)
        program = os.path.join(folder, "bin-ungil")
        shutil.copy(lib.UNGIL, program)
        os.chmod(program, 0o755)
        work = os.path.join(folder, "work")
        os.mkdir(work)
        yield program, work


def open_up(folder):
    for where, folders, names in os.walk(folder):
        os.chmod(where, 0o777)
        for name in names:
            os.chmod(os.path.join(where, name), 0o666)


def test_unreadable(c):
    with for_nobody() as (program, folder):
        write_tree(folder, {"good.py": GOOD, "secret.py": GOOD, "closed/a.py": GOOD})
        open_up(folder)
        os.chmod(os.path.join(folder, "secret.py"), 0)
        os.chmod(os.path.join(folder, "closed"), 0)
        env = lib.environment(HOME=folder)
        result = lib.execute([program, "check", "--no-cache", "--format", "json"], cwd=folder, env=env, limit=as_nobody)
        c.check(result.code in (1, 2), result)
        report = result.json()
        c.check({"secret.py", "closed"} <= {n["path"].rstrip("/") for n in report["notes"]}, report["notes"])
        c.check(any(f["path"] == "good.py" for f in report["findings"]), report)
        named = lib.execute([program, "check", "--no-cache", "secret.py"], cwd=folder, env=env, limit=as_nobody)
        c.check("cannot read secret.py: Permission denied" in named.err and named.code == 2, named)
        for args in (["closed"], ["closed", "good.py"], ["good.py", "secret.py"]):
            named = lib.execute([program, "check", "--no-cache", *args], cwd=folder, env=env, limit=as_nobody)
            c.check("cannot read" in named.err and named.code == 2 and not named.out, named)
        named = lib.execute([program, "check", "--no-cache", "good.py", "secret.py", "--exclude", "secret.py"], cwd=folder, env=env, limit=as_nobody)
        c.code(named, 1)
        os.chmod(os.path.join(folder, "closed"), 0o644)  # its names can be read, but nothing else
        result = lib.execute([program, "check", "--no-cache", "--format", "json"], cwd=folder, env=env, limit=as_nobody)
        c.check("closed/a.py" in {n["path"] for n in result.json()["notes"]}, result.json()["notes"])


def test_read_only_folder(c):
    with for_nobody() as (program, folder):
        write_tree(folder, {"good.py": GOOD, "shut/a.py": GOOD})
        open_up(folder)
        os.chmod(os.path.join(folder, "shut"), 0o555)
        result = lib.execute([program, "fix", "--no-cache"], cwd=folder, env=lib.environment(HOME=folder), limit=as_nobody)
        c.code(result, 2)
        c.has(result, "shut/a.py", stream="err")
        c.equal(lib.read_file(os.path.join(folder, "shut/a.py")).decode(), GOOD)
        c.equal(os.listdir(os.path.join(folder, "shut")), ["a.py"])
        c.check(b"_lock" in lib.read_file(os.path.join(folder, "good.py")), "the other file should have been fixed")


# The lock of a fix is made in the first file and taken in the second one.
HALVES = {"state.py": "n = 0\n", "work.py": """import threading
import state


def work():
    state.n += 1


for _ in range(4):
    threading.Thread(target=work).start()
"""}
OTHER = GOOD.replace("hits", "strokes")


def test_halves_of_a_fix(c):
    """What one fix changes is written as a whole or not at all; what has nothing to do with it is written."""
    for path, where in (("a/state.py", "a/state.py"), ("b/work.py", "b/work.py"), ("a/state.py", "a"), ("b/work.py", "b")):
        with for_nobody() as (program, folder):
            files = {"a/state.py": HALVES["state.py"], "b/work.py": HALVES["work.py"].replace("import state", "from a import state"),
                     "other.py": OTHER, "a/__init__.py": ""}
            write_tree(folder, files)
            open_up(folder)
            os.chmod(os.path.join(folder, where), 0o444 if where == path else 0o555)
            result = lib.execute([program, "fix", "--no-cache", "--isolated", "--root", "."], cwd=folder, env=lib.environment(HOME=folder),
                                 limit=as_nobody)
            c.code(result, 2)
            c.has(result, "a/state.py", "b/work.py", "belong together", stream="err")
            c.has(result, "wrote 1 of 3 files")
            for name in ("a/state.py", "b/work.py"):
                c.equal(lib.read_file(os.path.join(folder, name)).decode(), files[name], "half of a fix was written")
            c.check(b"_lock" in lib.read_file(os.path.join(folder, "other.py")), "the other file should have been fixed")
            c.check(not [n for _, _, names in os.walk(folder) for n in names if ".ungil-" in n], "temporary files stay")


def test_put_back(c):
    """A rename that fails although everything was tried before: nobody may replace another one's file in a sticky folder."""
    if os.geteuid() != 0:
        return c.skip("needs a second user")
    with for_nobody() as (program, folder):
        write_tree(folder, {"state.py": HALVES["state.py"], "z/work.py": HALVES["work.py"]})
        open_up(folder)
        os.chmod(os.path.join(folder, "z"), 0o1777)
        result = lib.execute([program, "fix", "--no-cache", "--isolated", "--root", "."], cwd=folder, env=lib.environment(HOME=folder), limit=as_nobody)
        c.code(result, 2)
        c.has(result, "cannot write", "z/work.py", "state.py is left as it is", stream="err")
        c.equal(lib.read_file(os.path.join(folder, "state.py")).decode(), HALVES["state.py"], "half of a fix was written")
        c.equal(os.listdir(os.path.join(folder, "z")), ["work.py"])


def test_foreign_repository(c):
    """git does not trust a repository of another user: what follows from that is said, with what to do."""
    if os.geteuid() != 0:
        return c.skip("needs a second user")
    with temporary() as folder:
        write_tree(folder, {"good.py": GOOD, "made.py": GOOD, ".gitignore": "made.py\n"})
        lib.git_start(folder)
        for where in (folder, os.path.join(folder, ".git")):
            os.chown(where, 65534, 65534)
        checked = ungil("check", "--no-cache", "--format", "json", cwd=folder)
        c.check(any("safe.directory %s" % folder in n["message"] for n in checked.json()["notes"]), checked.json()["notes"])
        c.equal(checked.json()["summary"]["unseen"]["file"], 0)
        for args in (["commit"], ["review", "--base", "HEAD"]):
            refused = ungil(*args, cwd=folder)
            c.code(refused, 2)
            c.has(refused, "belongs to another user", "safe.directory %s" % folder, stream="err")


def test_full_disk(c):
    with temporary() as folder:
        mounted = os.path.join(folder, "small")
        os.mkdir(mounted)
        if os.geteuid() != 0 or lib.execute(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mounted]).code != 0:
            return c.skip("no right to mount a small file system")
        try:
            write_file(os.path.join(mounted, "a.py"), GOOD + "# filler\n" * 1500)
            with contextlib.suppress(OSError), open(os.path.join(mounted, "filler"), "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 4096)
            before = lib.read_tree(mounted)
            result = ungil("fix", "--no-cache", cwd=mounted)
            c.code(result, 2)
            c.has(result, "a.py", stream="err")
            c.equal(lib.read_tree(mounted), before, "the disk is full and something was written")
            result = ungil("check", "--format", "json", "-o", "report.json", "--no-cache", cwd=mounted)
            c.code(result, 2)
        finally:
            lib.execute(["umount", mounted])


def test_cache_not_writable(c):
    with for_nobody() as (program, folder):
        write_tree(folder, {"good.py": GOOD, "cache/x": "x"})
        open_up(folder)
        os.chmod(os.path.join(folder, "cache"), 0o555)
        result = lib.execute([program, "check", "--cache-dir", "cache"], cwd=folder, env=lib.environment(HOME=folder), limit=as_nobody)
        c.check(result.code in (1, 2) and (result.code == 1 or "cache" in result.err), result)


def test_damaged_cache(c):
    with temporary() as folder:
        write_file(os.path.join(folder, "good.py"), GOOD)
        expected = run(c, folder, "check", "--format", "concise", "--cache-dir", "cache").raw
        for where, _, names in os.walk(os.path.join(folder, "cache")):
            for i, name in enumerate(names):
                path = os.path.join(where, name)
                data = lib.read_file(path)
                write_file(path, data[:len(data) // 2] if i % 2 else bytes(b ^ 0x55 for b in data))
        c.equal(run(c, folder, "check", "--format", "concise", "--cache-dir", "cache").raw, expected)


def test_changed_while_running(c):
    """A file that changes between analysis and writing is refused. With many files there is time to edit the last one."""
    with temporary() as folder:
        write_tree(folder, {"f%04d.py" % i: GOOD for i in range(400)})
        last = os.path.join(folder, "f0399.py")
        mine = GOOD.replace("hits", "strokes") + "# edited meanwhile\n"
        process = subprocess.Popen([lib.UNGIL, "fix", "--no-cache"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=lib.environment())
        output = []
        reader = threading.Thread(target=lambda: output.extend(process.communicate()))
        reader.start()
        first = os.path.join(folder, "f0000.py")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None and os.path.getsize(first) == len(GOOD):
            pass
        won = process.poll() is None and os.path.getsize(last) == len(GOOD)
        if won:
            with open(last, "r+b") as f:
                f.write(mine.encode())
        reader.join()
        if not won:
            return c.skip("the program was faster than the edit")
        c.equal(lib.read_file(last).decode(), mine, "an edit made meanwhile was overwritten")
        c.check(process.returncode == 2 and b"f0399.py" in output[1], "exit %s\n%s" % (process.returncode, output[1].decode()))


# --- Arguments --------------------------------------------------------------------------------------------------------------

def test_odd_arguments(c):
    with temporary() as folder:
        write_file(os.path.join(folder, "good.py"), GOOD)
        for args, codes in ((["check", ""], (2,)), (["check", "good.py\n"], (2,)), (["check", "--jobs", "0"], (0, 1, 2)), (["check", "--jobs", "-1"], (2,)),
                            (["check", "--jobs", "99999999999999999999"], (2,)), (["check", "--jobs", "300"], (1,)), (["check", "--select", ""], (2,)),
                            (["check", "--", "good.py"], (1,)), (["check", "-o", "/"], (2,)), (["check", "-o", "no/such/folder/x"], (2,)),
                            (["check", "--root", "/no/such"], (2,)), (["check", "--config", "good.py"], (2,)), (["explain", "good.py:0"], (2,)),
                            (["explain", "good.py:-1"], (2,)), (["explain", ""], (2,)), (["explain"], (2,)), (["check", "x" * 100_000], (2,)),
                            (["check"] + ["good.py"] * 3000, (1,)), (["check", "--exclude", "[" * 1000], (2,)), (["check", "/dev/null"], (0, 2)),
                            (["--version", "--help"], (0,)), (["check", "--format=json", "--format=text"], (1, 2))):
            result = run(c, folder, *args, codes=codes)
            if result.code == 2:
                c.check(result.err.strip() and not re.search(r"[Aa]ssert|panic", result.err), result)


if __name__ == "__main__":
    suite = lib.Suite("badinput")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
