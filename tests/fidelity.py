#!/usr/bin/env python3
"""Applies every fix, the unsafe ones too, to copies of much real code and looks at the result with Python's own eyes.

  compiles      each file that compiled before
  erased        taking locks away gives the old program back, judged by Python's ast and tokenize and not by our parser: the
                two syntax trees, statement by statement, and the two token streams may differ only by `with LOCK:`, lock
                definitions, imports and the hooks that keep a lock out of pickles; every comment is kept, in its order
  bytes         the old bytes with the edits of the JSON output put in, round by round, are the new bytes: nothing else was touched
  same patch    `diff` + `git apply` gives what `fix` gives
  settled       a second run changes nothing
  crlf, tabs    copies with CRLF line ends and with tabs get the same edits

Where a transform replaces code (a queue's pop, a dictionary's setdefault), the replaced spans are put into the old text first,
and the comparison is made with that.

  tests/fidelity.py [--quick] [FOLDER ...]    each folder is a program of its own; --quick leaves the copies out
  UNGIL_FIDELITY=FOLDER:FOLDER                more folders; without any: the standard library and site-packages of this Python
"""
import ast
import collections
import io
import os
import re
import shutil
import sys
import sysconfig
import time
import tokenize
import warnings

import lib

# --- What may be put in -----------------------------------------------------------------------------------------------------

NAME = r"\w+(?: ?\. ?\w+)*"
LOCK_LINES = [re.compile(r) for r in (
    r"with (?:%s|type ?\( ?%s ?\)(?: ?\. ?\w+)*) ?:" % (NAME, NAME),
    r"%s = (?:\w+ ?\. ?)?R?Lock ?\( ?\)" % NAME,
    r"import [\w. ]+", r"from [\w. ]+ import [\w, ]+(?: as \w+)?",
    r"'\w+' ?,?", r'"\w+" ?,?', r", ?['\"]\w+['\"]",                       # a name more in __slots__
    r"object ?\. ?__setattr__ ?\( ?\w+ ?, ?['\"]\w+['\"] ?, ?(?:\w+ ?\. ?)?R?Lock ?\( ?\) ?\)",
    # the hooks that keep a lock out of pickles and copies, and the one that renews it after a fork
    r"def __getstate__ ?\( ?self ?\) ?:", r"def __setstate__ ?\( ?self ?, ?state ?\) ?:", r"def __post_init__ ?\( ?self ?\) ?:",
    r"def \w+_after_fork ?\( ?\) ?:", r"global \w+",
    r"state = self ?\. ?__dict__ ?\. ?copy ?\( ?\)", r"\w+ ?\. ?pop ?\( ?['\"]\w*lock\w*['\"] ?, ?None ?\)", r"return state",
    r"self ?\. ?__dict__ ?\. ?update ?\( ?state ?\)", r"(?:\w+ ?\. ?)?register_at_fork ?\( ?after_in_child ?= ?[\w. ]+\)",
    r"if hasattr ?\( ?os ?, ?['\"]register_at_fork['\"] ?\) ?:",
)]


def may_be_put_in(line):
    return any(r.fullmatch(line) for r in LOCK_LINES)


def lock_edit(old, new):
    """Does the edit only add lines of locks, indentation, or a line break instead of a semicolon?"""
    if old.strip(b" \t\f;\\\r\n"):
        return False
    return all(may_be_put_in(line.strip()) for line in new.decode("utf-8", "replace").splitlines() if line.strip(" \t\f;"))


# --- The oracle: statements -------------------------------------------------------------------------------------------------

BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def is_lock_statement(node):
    return isinstance(node, ast.With) and len(node.items) == 1 and node.items[0].optional_vars is None


def is_put_in(node):
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return True
    if isinstance(node, ast.FunctionDef):
        return node.name in ("__getstate__", "__setstate__", "__post_init__") or node.name.endswith("_after_fork")
    if isinstance(node, ast.If):
        return "register_at_fork" in ast.dump(node.test)
    if isinstance(node, ast.Expr):
        return re.search(r"register_at_fork|'__setattr__'.*R?Lock'|R?Lock'.*'__setattr__'|'pop'", ast.dump(node.value)) is not None
    value = getattr(node, "value", None)
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(value, ast.Call) and re.search(r"'R?Lock'", ast.dump(value.func)) is not None


def is_slots(node):
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__slots__" for t in node.targets)


def head(node, memo={}):
    """The statement without the statements inside it."""
    key = id(node)
    if key not in memo:
        memo[key] = node, [type(node).__name__] + [
            ast.dump(v) if isinstance(v, ast.AST) else [ast.dump(x) if isinstance(x, ast.AST) else repr(x) for x in v] if isinstance(v, list) else repr(v)
            for k, v in ast.iter_fields(node) if k not in BODIES and not is_slots(node)]
    return memo[key][1]


def same(before, after):
    """None, or the line (of the text after) from which the two lists of statements differ by more than locks."""
    after, i = list(after), 0
    for old in before:
        while True:
            if i >= len(after):
                return -1
            new = after[i]
            if head(old) == head(new):
                wrong = inside(old, new)
                if wrong is None:
                    i += 1
                    break
                if not is_lock_statement(new):
                    return wrong
            if is_lock_statement(new):
                after[i:i + 1] = new.body
            elif is_put_in(new):
                i += 1
            else:
                return getattr(new, "lineno", -1)
    for new in after[i:]:
        if not is_put_in(new):
            return getattr(new, "lineno", -1)
    return None


def inside(old, new):
    for key in BODIES:
        a, b = getattr(old, key, None), getattr(new, key, None)
        if isinstance(a, list):
            wrong = same(a, b)
            if wrong is not None:
                return wrong
    return None


# --- The oracle: tokens -----------------------------------------------------------------------------------------------------

def tokens(data):
    """(comments, pieces of logical lines): a piece ends at a line's end, a semicolon or a colon outside of brackets."""
    comments, pieces, piece, depth, skip = [], [], [], 0, {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
    for t in tokenize.tokenize(io.BytesIO(data).readline):
        if t.type == tokenize.COMMENT:
            comments.append(t.string.rstrip())
        elif t.type not in skip:
            end = t.type == tokenize.NEWLINE or (t.string == ";" and not depth)
            if not end:
                piece.append(t.string.replace("\r\n", "\n"))
                depth += (t.string in "([{") - (t.string in ")]}") if t.type == tokenize.OP else 0
            if piece and (end or (t.string == ":" and not depth)):
                pieces.append(" ".join(piece))
                piece = []
    return comments, pieces + ([" ".join(piece)] if piece else [])


def lines_up(before, after):
    """Are the pieces before those after, but for some that may be put in? Tries all ways at once. None, or the piece that is wrong."""
    at = {0}
    for piece in after:
        now = {i + 1 for i in at if i < len(before) and before[i] == piece}
        if not now or may_be_put_in(piece):
            if may_be_put_in(piece):
                now |= at
            elif piece.startswith("__slots__"):
                now |= {i + 1 for i in at if i < len(before) and before[i].startswith("__slots__")}
        if not now:
            return piece
        at = now
    return None if len(before) in at else "the end"


def read_json_edits(report):
    by_path = collections.defaultdict(list)
    for f in report["findings"]:
        if f["fix"] and f["fix"]["safety"] in ("safe", "unsafe"):
            for e in f["fix"]["edits"]:
                edit = (e["start_byte"], e["end_byte"], e["text"].encode())
                if edit not in by_path[e["path"]]:
                    by_path[e["path"]].append(edit)
    return by_path


def put_in(data, edits):
    out, at = [], 0
    for start, end, new in sorted(edits, key=lambda e: (e[0], e[1])):
        if start < at or end < start or end > len(data):
            raise ValueError("edit %d..%d overlaps another or leaves the file" % (start, end))
        out += [data[at:start], new]
        at = end
    return b"".join(out) + data[at:]


def judge(name, before, after, edits):
    """('erased' | 'replaced' | 'tokens', None), or (what, why it is wrong)."""
    replaced = [e for e in edits if not lock_edit(before[e[0]:e[1]], e[2])]
    middle = put_in(before, replaced)
    kind = "replaced" if replaced else "erased"
    if lib.compiles(before, name):  # not this Python's language: its tokens can be compared all the same
        kind = "tokens"
    else:
        why = lib.compiles(after, name)
        if why:
            return "compiles", why
        if lib.compiles(middle, name):
            return "replaced in part", "the replaced spans alone do not compile"
        line = same(ast.parse(middle).body, ast.parse(after).body)
        if line is not None:
            return "erased", "line %s: more than locks changed" % line
    try:
        comments, pieces = tokens(middle)
    except (tokenize.TokenError, IndentationError, SyntaxError) as e:
        return (kind, None) if kind == "tokens" else ("tokens", str(e))
    if tokens(before)[0] != tokens(after)[0]:
        return "comments", "the comments differ"
    wrong = lines_up(pieces, tokens(after)[1])
    return (kind, None) if wrong is None else ("tokens", "more than locks changed: %s" % wrong[:200])


# --- Copies -----------------------------------------------------------------------------------------------------------------

def copy_sources(folder, target):
    files = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if name.endswith(".py") and os.path.isfile(path) and not os.path.islink(path):
                files[os.path.relpath(path, folder).replace(os.sep, "/")] = lib.read_file(path)
    for name in ("pyproject.toml", "setup.py", "ungil.toml"):  # what makes the folder the root of a program
        path = os.path.join(folder, name)
        if os.path.isfile(path) and name != "ungil.toml":
            files[name] = lib.read_file(path)
    lib.write_tree(target, files)
    return files


def crlf(data):
    return data.replace(b"\n", b"\r\n") if b"\r" not in data else None


def tabs(data):
    """The text with a tab for four blanks at the start of each line; None where that is another program."""
    try:
        for t in tokenize.tokenize(io.BytesIO(data).readline):
            if t.type == tokenize.INDENT and (len(t.string) % 4 or t.string.strip(" ")):
                return None
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return None
    new = to_tabs(data)
    return None if lib.compiles(data, "x") or lib.compiles(new, "x") else new


def to_tabs(data):
    return re.sub(rb"^(?:    )+", lambda m: b"\t" * (len(m.group()) // 4), data, flags=re.M)


# --- The run ----------------------------------------------------------------------------------------------------------------

class Run:
    def __init__(self):
        self.total, self.transforms, self.failed = collections.Counter(), collections.Counter(), 0

    def fail(self, text, more=""):
        self.failed += 1
        print("FAIL fidelity: %s%s" % (text, "\n" + more[:3000] if more else ""))
        sys.stdout.flush()

    def ungil(self, command, tree, *more):
        result = lib.ungil(command, "--unsafe-fixes", "--isolated", "--root", tree, "--no-cache", *more, tree, cwd=tree, timeout=1800)
        if result.crashed:
            self.fail("%s of %s\n%s" % (command, tree, result))
        return result

    def copy_again(self, what, convert, tree, before, after):
        """A copy in another style must get the same edits."""
        made, expected = {}, {}
        for name, data in before.items():
            new = convert(data) if name.endswith(".py") else None
            made[name] = data if new is None else new
            if after.get(name) == data:
                expected[name] = made[name]
            elif new is None:
                expected[name] = after[name]
            else:
                expected[name] = to_tabs(after[name]) if convert is tabs else convert(after[name])
        lib.restore_tree(tree, made)
        self.ungil("fix", tree, "-q")
        found = lib.read_tree(tree)
        wrong = sorted(n for n in expected if found.get(n) != expected[n])
        same_edits = sum(1 for n in expected if expected[n] != made[n] and made[n] != before[n] and n not in wrong)
        for name in wrong[:5]:
            self.fail("%s copy of %s gets other edits" % (what, name), lib.difference(expected[name], found.get(name, b"")))
        self.failed += len(wrong[5:])
        self.total[what] += same_edits
        return same_edits

    def rounds(self, tree, folder, before, after, report):
        """Puts in the edits of the JSON output, again and again as `fix` does, and judges every step."""
        kinds, text, rounds = {}, before, 0
        while True:
            edits = read_json_edits(report)
            if not edits or rounds == 6:
                break
            rounds += 1
            now = dict(text)
            for name in sorted(edits):
                try:
                    now[name] = put_in(text[name], edits[name])
                    what, why = judge(name, text[name], now[name], edits[name])
                except ValueError as e:
                    what, why = "edits", str(e)
                if why:
                    self.fail("%s (%s): %s" % (name, what, why), lib.difference(text[name], now[name]))
                if kinds.get(name) != "replaced":
                    kinds[name] = "failed" if why else what
            text = now
            if text == after:
                break
            lib.restore_tree(tree, text)
            report = self.ungil("check", tree, "--format", "json").json()
        for name in sorted(n for n in after if after[n] != text.get(n)):
            self.fail("%s: the edits of the JSON output give another text than fix" % name, lib.difference(after[name], text[name]))
        return collections.Counter(kinds.values()), rounds

    def tree(self, folder, quick):
        with lib.temporary("ungil-fidelity-") as tree:
            start = time.monotonic()
            before = copy_sources(folder, tree)
            lib.git("init", "-q", "--template=", cwd=tree)
            checked = self.ungil("check", tree, "--format", "json")
            if checked.crashed:
                return
            report = checked.json()
            for f in report["findings"]:
                if f["fix"] and f["fix"]["safety"] in ("safe", "unsafe"):
                    self.transforms[f["fix"]["transform"]] += 1
            patch = self.ungil("diff", tree)
            fixed = self.ungil("fix", tree, "-q")
            after = lib.read_tree(tree)
            changed = sorted(n for n in after if after[n] != before.get(n))
            if set(after) != set(before):
                self.fail("%s: files appeared or went: %s" % (folder, sorted(set(after) ^ set(before))[:5]))
            kinds, rounds = self.rounds(tree, folder, before, after, report)
            lib.restore_tree(tree, after)
            again = self.ungil("fix", tree, "-q")
            settled = lib.read_tree(tree)
            for name in sorted(n for n in settled if settled[n] != after.get(n)):
                self.fail("%s changes again" % name, lib.difference(after[name], settled[name]))
            lib.restore_tree(tree, before)
            if patch.raw:
                applied = lib.execute(["git", "apply", "--whitespace=nowarn", "-"], cwd=tree, input=patch.raw)
                if applied.code or lib.read_tree(tree) != after:
                    self.fail("%s: git apply %s" % (folder, applied.err[:500] or "gives another text than fix"))
            elif changed:
                self.fail("%s: no patch" % folder)
            copies = ""
            if not quick:
                copies = ", %d alike with CRLF, %d with tabs" % (self.copy_again("crlf", crlf, tree, before, after),
                                                              self.copy_again("tabs", tabs, tree, before, after))
            s = report["summary"]
            self.total.update(files=len(before), lines=s["lines"], findings=len(report["findings"]), changed=len(changed), trees=1)
            self.total.update(kinds)
            print("%-60s %7d lines, %4d findings, %4d files changed in %d rounds: %s%s; %.0f s" % (
                os.path.basename(folder.rstrip("/"))[-60:], s["lines"], len(report["findings"]), len(changed), rounds,
                ", ".join("%d %s" % (n, k) for k, n in sorted(kinds.items())) or "-", copies, time.monotonic() - start))
            sys.stdout.flush()


def main():
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20_000)
    args = [a for a in sys.argv[1:] if a != "--quick"]
    folders = args + [f for f in os.environ.get("UNGIL_FIDELITY", "").split(":") if f]
    if not folders:
        folders = sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")})
        # site-packages often lies inside the library's folder; then it is copied with it.
        folders = [f for f in folders if os.path.isdir(f) and not any(f != g and f.startswith(g + os.sep) for g in folders)]
    run = Run()
    for folder in folders:
        run.tree(folder, "--quick" in sys.argv)
    t = run.total
    print("%d programs, %d files, %d lines: %d findings, %d files changed" % (t["trees"], t["files"], t["lines"], t["findings"], t["changed"]))
    print("the old program once locks are erased: %d files; with replaced code besides: %d; by tokens only, in Python 2: %d" % (
        t["erased"], t["replaced"], t["tokens"]))
    print("the same edits in CRLF copies: %d files; in copies with tabs: %d" % (t["crlf"], t["tabs"]))
    print("findings fixed by: %s" % ", ".join("%s %d" % x for x in sorted(run.transforms.items())))
    print("fidelity: %d failures" % run.failed)
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
