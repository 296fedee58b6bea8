#!/usr/bin/env python3
"""Runs every fixture: fixtures/KIND/CASE.before.py (or the folder CASE.before/) against CASE.after.py.

The marks in the before files say what must be found (tests/lib.py), the after file is what `fix` must make of them; without
one, nothing may change. CASE.wanted.py (or the folder CASE.wanted/) is a better text than fix can give today: it fails when it
can. On top of that every case has to hold what is true of any edit, whatever the program reports:

  compiles      what compiled before compiles after
  settled       a second fix changes nothing
  no new race   every finding after the fix was there before it
  same bytes    diff + git apply, fix, commit, and the edits in the JSON output all give the same text
  style         CRLF line ends, tabs and a missing final newline are kept, and the same lines are changed

  tests/suite_fixtures.py [--accept] [PATTERN]      --accept (or ACCEPT=1) rewrites the after files from what fix does now
"""
import os
import re
import shutil
import sys

import lib
from lib import FIXTURES

KINDS_WITHOUT_CASES = {"demo"}


class Case:
    def __init__(self, kind, name, path):
        self.name = "%s/%s" % (kind, name)
        self.before_path = path
        self.folder = os.path.isdir(path)
        self.after_path = re.sub(r"\.before(\.py)?$", lambda m: ".after" + (m.group(1) or ""), path)
        marked = lib.read_tree(path) if self.folder else {name + ".py": lib.read_file(path)}
        self.files, self.marks, self.options = {}, [], []
        for file, data in sorted(marked.items()):
            if file.endswith((".py", ".pyi")):
                self.options += lib.first_line_options(data)
                data, marks = lib.take_marks(file, data)
                self.marks += marks
            self.files[file] = data
        if self.folder:
            self.after = lib.read_tree(self.after_path) if os.path.isdir(self.after_path) else {}
        else:
            self.after = {name + ".py": lib.read_file(self.after_path)} if os.path.exists(self.after_path) else {}

        wanted = self.after_path.replace(".after", ".wanted")
        self.wanted = lib.read_tree(wanted) if os.path.isdir(wanted) else {name + ".py": lib.read_file(wanted)} if os.path.exists(wanted) else {}

    def expected(self):
        return {**self.files, **self.after}


def find_cases(suite):
    cases = []
    for kind in sorted(os.listdir(FIXTURES)):
        folder = os.path.join(FIXTURES, kind)
        if kind in KINDS_WITHOUT_CASES or not os.path.isdir(folder):
            continue
        for entry in sorted(os.listdir(folder)):
            m = re.match(r"(.*)\.before(\.py)?$", entry)
            if m and suite.wanted("%s/%s" % (kind, m.group(1))):
                cases.append(Case(kind, m.group(1), os.path.join(folder, entry)))
    return cases


def variants(case, after):
    """(name, files before, files expected after) for each style the text can be written in."""
    def python(files, change):
        return {n: change(d) if n.endswith(".py") else d for n, d in files.items()}

    def tabs(data):
        return b"\n".join(re.sub(rb"^(?:    )+", lambda m: b"\t" * (len(m.group()) // 4), line) for line in data.split(b"\n"))

    texts = [d for n, d in case.files.items() if n.endswith(".py")]
    if not any(b"\r" in d for d in texts):
        yield "crlf", python(case.files, lambda d: d.replace(b"\n", b"\r\n")), python(after, lambda d: d.replace(b"\n", b"\r\n"))
    if not any(re.search(rb"^(?:\t|  \S)", d, re.M) for d in texts):
        yield "tabs", python(case.files, tabs), python(after, tabs)
    if all(d.endswith(b"\n") and not d.endswith(b"\n\n") for d in texts):
        yield "no-final-newline", python(case.files, lambda d: d[:-1]), python(after, lambda d: d[:-1])


class Runner:
    def __init__(self, suite, accept):
        self.suite, self.accept = suite, accept

    def run(self, case):
        try:
            with lib.temporary() as folder:
                self.run_in(case, folder)
        except Exception as e:
            self.suite.fail(case.name, "%s: %s" % (type(e).__name__, e))

    def ungil(self, case, command, folder, *more):
        result = lib.ungil(command, *case.options, "--no-cache", "--jobs", "1", "--root", folder, *more, folder, cwd=folder)
        if result.crashed:
            raise RuntimeError("%s\n%s" % ("crashed", result))
        return result

    def findings(self, case, folder):
        result = self.ungil(case, "check", folder, "--format", "json")
        try:
            return [f for f in result.json()["findings"] if not f.get("suppressed")]
        except ValueError as e:
            raise RuntimeError("no JSON: %s\n%s" % (e, result))

    def run_in(self, case, folder):
        check = lambda what, truth, text="": self.suite.check("%s (%s)" % (case.name, what), truth, text)
        tree = os.path.join(folder, "tree")
        lib.write_tree(tree, case.files)
        lib.git_start(tree)

        before = self.findings(case, tree)
        wrong = lib.judge_marks(case.marks, before)
        check("marks", not wrong, "\n".join(wrong))

        fixed_run = self.ungil(case, "fix", tree)
        fixed = lib.read_tree(tree)
        if self.accept:
            self.accept_result(case, fixed)
        else:
            expected = case.expected()
            check("after", fixed == expected, lambda: "fix gives another text\n" + tree_difference(expected, fixed) + notes(before, fixed_run))

        check("wanted", not case.wanted or fixed != {**case.files, **case.wanted}, "fix gives the wanted text now: make it the after file")

        broken = [lib.compiles(d, n) for n, d in sorted(fixed.items()) if n.endswith(".py") and not lib.compiles(case.files[n], n)]
        check("compiles", not any(broken), "\n".join(b for b in broken if b))

        after = self.findings(case, tree)
        known = {f["fingerprint"] for f in before} | {(f["rule"], f["state"]) for f in before}
        new = [f for f in after if f["fingerprint"] not in known and (f["rule"], f["state"]) not in known]
        check("no new race", not new, "\n".join("%s:%s: %s %s" % (f["path"], f["line"], f["rule"], f["message"]) for f in new))
        if fixed != case.files:
            self.ungil(case, "fix", tree)
            again = lib.read_tree(tree)
            check("settled", again == fixed, lambda: "a second fix changes the text again\n" + tree_difference(fixed, again))
        try:
            edited = self.edited(case, tree, before, fixed)
            check("json edits", edited == fixed, lambda: "the edits in the JSON give another text than fix\n" + tree_difference(fixed, edited))
        except (ValueError, KeyError) as e:
            check("json edits", False, e)

        lib.restore_tree(tree, case.files)
        patch = self.ungil(case, "diff", tree)
        if fixed == case.files:
            check("diff", patch.raw.strip() == b"" and patch.code == 0, lambda: "nothing to fix, and yet\n%s" % patch)
        else:
            applied = lib.execute(["git", "apply", "--whitespace=nowarn", "-"], cwd=tree, input=patch.raw)
            found = lib.read_tree(tree)
            check("diff", applied.code == 0 and found == fixed, lambda: "git apply %s\n%s\n%s" % (
                "refuses the patch" if applied.code else "gives another text than fix", applied.err, tree_difference(fixed, found)))
            lib.restore_tree(tree, case.files)
            self.check_commit(case, check, tree, fixed)
        self.check_styles(case, check, folder, fixed)

    def edited(self, case, tree, found, fixed):
        """The text that the edits of the JSON output give, round by round, as `fix` goes on too."""
        files = case.files
        for _ in range(5):
            files = lib.apply_edits(files, found, ("safe", "unsafe") if "--unsafe-fixes" in case.options else ("safe",))
            if files == fixed or not any("the next round" in (f["fix"].get("reason") or "") for f in found if f.get("fix")):
                break
            lib.restore_tree(tree, files)
            found = self.findings(case, tree)
        return files

    def check_commit(self, case, check, tree, fixed):
        lib.git("update-index", "-q", "--refresh", cwd=tree, check=False)
        done = self.ungil(case, "commit", tree)
        found = lib.read_tree(tree)
        check("commit", found == fixed, lambda: "commit leaves another text than fix\n%s\n%s" % (tree_difference(fixed, found), done))
        state = lib.git("status", "--porcelain", cwd=tree)
        check("commit", not state.out.strip(), lambda: "commit leaves changes behind\n%s" % state)
        for name in sorted(fixed):
            if fixed[name] == case.files[name]:
                continue
            for commit in lib.git("log", "--format=%h", "--", name, cwd=tree).out.split():
                data = lib.git("show", "%s:%s" % (commit, name), cwd=tree).raw
                why = lib.compiles(data, name) if not lib.compiles(case.files[name], name) else None
                check("commit", not why, "commit %s does not compile: %s" % (commit, why))

    def check_styles(self, case, check, folder, fixed):
        for name, files, expected in variants(case, fixed):
            tree = os.path.join(folder, name)
            lib.write_tree(tree, files)
            self.ungil(case, "fix", tree)
            found = lib.read_tree(tree)
            check(name, found == expected, lambda: "fix gives other edits on this variant\n" + tree_difference(expected, found))

    def accept_result(self, case, fixed):
        if case.folder:
            shutil.rmtree(case.after_path, ignore_errors=True)
            lib.write_tree(case.after_path, {n: d for n, d in fixed.items() if d != case.files[n]})
        elif fixed != case.files:
            lib.write_file(case.after_path, next(iter(fixed.values())))
        elif os.path.exists(case.after_path):
            os.unlink(case.after_path)


def tree_difference(expected, found):
    out = ""
    for name in sorted(set(expected) | set(found)):
        a, b = expected.get(name, b""), found.get(name, b"")
        if a != b:
            out += lib.difference(a, b, ("expected/" + name, "found/" + name))
            if a.replace(b"\r", b"") == b.replace(b"\r", b""):
                out += "only line ends differ\n"
    return out


def notes(findings, run):
    """Why findings got no safe fix, for the message about a missing edit."""
    out = ""
    for f in findings:
        fix = f.get("fix")
        if not fix or fix.get("safety") != "safe":
            out += "%s:%s %s: %s\n" % (f["path"], f["line"], f["rule"], "%s: %s" % (fix["safety"], fix.get("reason")) if fix else "no fix")
    return out + run.err


def main():
    args = [a for a in sys.argv[1:] if a != "--accept"]
    if args:
        os.environ["T"] = args[0]
    suite = lib.Suite("fixtures")
    runner = Runner(suite, "--accept" in sys.argv or os.environ.get("ACCEPT") == "1")
    cases = find_cases(suite)
    lib.each(runner.run, cases)
    print("%d cases" % len(cases))
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
