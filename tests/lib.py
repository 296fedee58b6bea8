"""What the test suites share: running the program, temporary trees and git repositories, counting, the marks in fixtures.

A suite creates one Suite, calls its methods, and ends with `suite.end()`, which prints the closing line that tests/run.sh
reads and gives the exit status. Nothing here needs more than Python's standard library.
"""
import contextlib
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
FIXTURES = os.path.join(TOP, "fixtures")
UNGIL = os.environ.get("UNGIL") or os.path.join(TOP, "build", "ungil")
BUILD = os.environ.get("BUILD") or os.path.dirname(UNGIL)
FT_PYTHON = os.environ.get("UNGIL_FT_PYTHON") or ""
# A sanitizer build is many times slower; limits of time are stretched for it.
SLOW = 8 if "san" in os.path.basename(BUILD.rstrip("/")) else 1

# Two at a time: the machines that run this have few cores, and every run of the program is given one thread (--jobs 1).
WORKERS = max(2, min(4, os.cpu_count() or 2))

GIT_CONFIG = """[user]
\tname = Ada Example
\temail = ada@example.org
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
[core]
\tautocrlf = false
[gc]
\tauto = 0
[advice]
\tdetachedHead = false
"""


# --- Running things -------------------------------------------------------------------------------------------------------

class Result:
    """How a run ended: .code (negative: killed by that signal; None: out of time), .out and .err as text, .raw as bytes."""

    def __init__(self, args, code, out, err):
        self.args, self.code, self.raw = args, code, out
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")

    @property
    def crashed(self):
        return self.code is None or self.code not in (0, 1, 2)

    def json(self):
        return json.loads(self.raw)

    def __str__(self):
        text = "$ %s\n  exit %s" % (" ".join(self.args), "out of time" if self.code is None else self.code)
        for name, stream in (("stdout", self.out), ("stderr", self.err)):
            if stream.strip():
                lines = stream.rstrip("\n").split("\n")
                if len(lines) > 25:
                    lines = lines[:20] + ["... %d lines" % (len(lines) - 25)] + lines[-5:]
                text += "\n  %s: " % name + ("\n    ").join(line[:300] for line in lines)
        return text


_home = None
_home_lock = threading.Lock()


def home():
    """A home directory for the program and git under test: nobody's settings or caches play a part."""
    global _home
    with _home_lock:
        if _home is None:
            _home = tempfile.mkdtemp(prefix="ungil-home-")
            with open(os.path.join(_home, ".gitconfig"), "w") as f:
                f.write(GIT_CONFIG)
        return _home


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "UNGIL", "PYTHON", "XDG_"))}
    env.update(HOME=home(), XDG_CACHE_HOME=os.path.join(home(), "cache"), XDG_CONFIG_HOME=os.path.join(home(), "config"),
               GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8", TERM="dumb")
    env.pop("NO_COLOR", None)
    env.setdefault("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1")
    env.update(more)
    return env


def execute(args, cwd=None, timeout=60, input=None, env=None, limit=None):
    try:
        done = subprocess.run(args, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout * SLOW,
                              input=input, stdin=subprocess.DEVNULL if input is None else None,
                              env=env or environment(), preexec_fn=limit)
        return Result([str(a) for a in args], done.returncode, done.stdout, done.stderr)
    except subprocess.TimeoutExpired as e:
        return Result([str(a) for a in args], None, e.stdout or b"", e.stderr or b"")


def ungil(*args, cwd=None, **options):
    result = execute([UNGIL, *args], cwd=cwd, **options)
    result.args[0] = "ungil"
    return result


def git(*args, cwd, check=True):
    result = execute(["git", *args], cwd=cwd)
    if check and result.code != 0:
        raise RuntimeError(str(result))
    return result


def git_start(folder):
    """Makes the folder a repository with one commit of everything in it."""
    git("init", "-q", "--template=", cwd=folder)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "Start", cwd=folder)


def each(work, items):
    """Runs work(item) for all items, a few at a time; results in the items' order."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))


# --- Files ----------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def temporary(prefix="ungil-test-"):
    folder = os.path.realpath(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        for where, folders, _ in os.walk(folder):
            for name in folders:
                path = os.path.join(where, name)
                if not os.path.islink(path):
                    with contextlib.suppress(OSError):
                        os.chmod(path, 0o755)
        shutil.rmtree(folder, ignore_errors=True)


def write_file(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)


def write_tree(folder, files):
    for name, data in files.items():
        write_file(os.path.join(folder, name), data)


def read_file(path):
    with open(path, "rb") as f:
        return f.read()


def read_tree(folder):
    """Every file below the folder but git's own, as {relative path: bytes}."""
    found = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [n for n in folders if n != ".git"]
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found[os.path.relpath(path, folder).replace(os.sep, "/")] = read_file(path)
    return found


def restore_tree(folder, files):
    """Makes the folder hold exactly these files again."""
    for name in read_tree(folder):
        if name not in files:
            os.unlink(os.path.join(folder, name))
    for name, data in files.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path) or read_file(path) != data:
            write_file(path, data)


def compiles(data, name):
    """None, or why Python does not compile these bytes."""
    try:
        compile(data, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as e:
        return "%s: %s" % (name, e)
    return None


def difference(expected, found, names=("expected", "found")):
    import difflib
    lines = [b.decode("utf-8", "backslashreplace").splitlines(keepends=True) for b in (expected, found)]
    return "".join(line if line.endswith("\n") else line + "\n\\ no newline\n"
                   for line in difflib.unified_diff(lines[0], lines[1], *names, n=2))


# --- The marks in fixtures --------------------------------------------------------------------------------------------------

# `#! UG101` must be found on this line · `#? UG101` known false alarm · `#- UG101` missed today · `# ok` must stay silent.
MARK = re.compile(rb"[ \t]*#(?:([!?-]) ?(UG\d{3}(?:[ ,]+UG\d{3})*)| (ok))[ \t]*$")


class Mark:
    def __init__(self, path, line, kind, rule):
        self.path, self.line, self.kind, self.rule = path, line, kind, rule

    def __str__(self):
        return "%s:%d: %s %s" % (self.path, self.line, self.kind, self.rule)


def take_marks(path, data):
    """(the text without its marks, the marks)."""
    marks, lines = [], data.split(b"\n")
    for i, line in enumerate(lines):
        end = b"\r" if line.endswith(b"\r") else b""
        line = line[:len(line) - len(end)]
        while True:
            m = MARK.search(line)
            if not m:
                break
            if m.group(3):
                marks.append(Mark(path, i + 1, "ok", ""))
            else:
                for rule in re.findall(rb"UG\d{3}", m.group(2)):
                    marks.append(Mark(path, i + 1, m.group(1).decode(), rule.decode()))
            line = line[:m.start()]
        lines[i] = line + end
    return b"\n".join(lines), marks


def judge_marks(marks, findings):
    """Compares the marks with findings (of the same paths). A list of sentences, empty when all is as marked."""
    wrong, expected = [], {}
    for m in marks:
        if m.kind != "ok":
            expected[(m.path, m.line, m.rule)] = m.kind
    quiet = {(m.path, m.line) for m in marks if m.kind == "ok"}
    found = {(f["path"], f["line"], f["rule"]): f for f in findings}
    for (path, line, rule), kind in expected.items():
        hit = (path, line, rule) in found
        where = "%s:%d: %s" % (path, line, rule)
        if kind == "!" and not hit:
            wrong.append(where + " not found")
        elif kind == "-" and hit:
            wrong.append(where + " is found now: the known gap is closed, change its mark to #!")
        elif kind == "?" and not hit:
            wrong.append(where + " is no longer reported: the known false alarm is gone, change its mark to # ok")
    for (path, line, rule), f in found.items():
        if (path, line, rule) not in expected:
            wrong.append("%s:%d: %s %sreported [%s, %s]: %s" % (
                path, line, rule, "on a line marked ok " if (path, line) in quiet else "unexpectedly ", f.get("confidence"),
                f.get("impact"), f.get("message", "")))
    return wrong


def first_line_options(data):
    """The options on a fixture's first line, `# args: --model strict`."""
    m = re.match(rb"# args:([^\r\n]*)", data)
    return m.group(1).decode().split() if m else []


# --- Edits ------------------------------------------------------------------------------------------------------------------

def apply_edits(before, findings, safeties=("safe",)):
    """The texts after all edits of the findings' fixes, from {path: bytes}. Equal edits of several findings count once."""
    by_path = {}
    for f in findings:
        fix = f.get("fix")
        if not fix or fix.get("safety") not in safeties:
            continue
        for e in fix.get("edits") or []:
            edit = (e["start_byte"], e["end_byte"], e["text"])
            edits = by_path.setdefault(e["path"], [])
            if edit not in edits:
                edits.append(edit)
    after = dict(before)
    for path, edits in by_path.items():
        text, out, at = before[path], [], 0
        for start, end, new in sorted(edits, key=lambda e: (e[0], e[1])):
            if start < at or end < start or end > len(text):
                raise ValueError("%s: edit %d..%d overlaps another or leaves the file" % (path, start, end))
            out += [text[at:start], new.encode()]
            at = end
        after[path] = b"".join(out) + text[at:]
    return after


# --- Counting ---------------------------------------------------------------------------------------------------------------

class Suite:
    def __init__(self, name):
        self.name, self.passed, self.failed, self.skipped = name, 0, 0, 0
        self.lock = threading.RLock()
        self.pattern = os.environ.get("T", "")
        if not os.path.exists(UNGIL):
            print("FAIL %s: there is no program %s" % (name, UNGIL))
            self.failed = 1
            sys.exit(self.end())

    def wanted(self, name):
        return not self.pattern or self.pattern in name or fnmatch.fnmatch(name, self.pattern)

    def ok(self, name=""):
        with self.lock:
            self.passed += 1

    def fail(self, name, text=""):
        with self.lock:
            self.failed += 1
            body = str(text).rstrip("\n").split("\n")
            print("FAIL %s: %s" % (name, body[0]))
            for line in body[1:]:
                print("    " + line)
            sys.stdout.flush()

    def skip(self, name, why):
        with self.lock:
            self.skipped += 1
            print("skip %s: %s" % (name, why))

    def check(self, name, truth, text=""):
        """Counts one check; text (or a function that makes it) is shown on failure."""
        if truth:
            self.ok(name)
        else:
            self.fail(name, text() if callable(text) else text)
        return bool(truth)

    def run(self, tests):
        """Runs functions named test_*; each gets this suite. One that raises is a failure. Their order is that of the text."""
        for name, function in tests:
            if not self.wanted(name):
                continue
            try:
                function(Checks(self, name))
            except Exception as e:
                import traceback
                self.fail(name, "%s: %s\n%s" % (type(e).__name__, e, traceback.format_exc(limit=-3)))

    def run_module(self, module):
        tests = [(n[5:], f) for n, f in vars(module).items() if n.startswith("test_") and callable(f)]
        each(lambda t: self.run([t]), tests)

    def end(self):
        if _home:
            shutil.rmtree(_home, ignore_errors=True)
        print("# suite %s: %d passed, %d failed, %d skipped" % (self.name, self.passed, self.failed, self.skipped))
        return 1 if self.failed else 0


class Checks:
    """One test's view of the suite: its checks carry the test's name."""

    def __init__(self, suite, name):
        self.suite, self.name = suite, name

    def check(self, truth, text=""):
        return self.suite.check(self.name, truth, text)

    def equal(self, found, expected, text=""):
        return self.check(found == expected, lambda: "%sexpected %r, found %r" % (
            str(text) + "\n" if text else "", expected, found))

    def code(self, result, expected):
        return self.check(result.code == expected, lambda: "expected exit %s\n%s" % (expected, result))

    def has(self, result, *words, stream="out"):
        text = getattr(result, stream) if stream != "both" else result.out + result.err
        missing = [w for w in words if w not in text]
        return self.check(not missing, lambda: "%s lacks %s\n%s" % (stream, missing, result))

    def lacks(self, result, *words, stream="out"):
        text = getattr(result, stream) if stream != "both" else result.out + result.err
        there = [w for w in words if w in text]
        return self.check(not there, lambda: "%s contains %s\n%s" % (stream, there, result))

    def skip(self, why):
        self.suite.skip(self.name, why)
