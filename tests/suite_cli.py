#!/usr/bin/env python3
"""The command line as users, scripts and bots see it: the built program, run in small projects made for the purpose."""
import contextlib
import json
import os
import re
import stat
import sys

import lib
from lib import git, temporary, ungil, write_file, write_tree
from samples import CACHE, CLEAN, COUNTER, PROJECT

LIST = '''import threading

rows = []


def work(n):
    rows.append(n)


def run():
    for n in range(4):
        threading.Thread(target=work, args=(n,)).start()
'''


SEEN = '''import threading

seen = []


def work(key):
    if key not in seen:
        seen.append(key)


for n in range(4):
    threading.Thread(target=work, args=(n,)).start()
'''


@contextlib.contextmanager
def project(files=PROJECT, repository=False):
    """A folder with these files, as a git repository if asked."""
    with temporary() as folder:
        write_tree(folder, files)
        if repository:
            lib.git_start(folder)
        yield folder


def findings(folder, *options):
    return ungil("check", "--format", "json", *options, cwd=folder).json()["findings"]


def rules(folder, *options):
    return sorted({f["rule"] for f in findings(folder, *options)})


# --- Exit status, help ------------------------------------------------------------------------------------------------------

def test_quiet_plans_no_fixes(c):
    """check -q names no fix and plans none; what it prints and its exit status are those of a run that does."""
    with temporary() as folder:
        write_tree(folder, {"count.py": "n = 0\n\n\ndef add():\n    global n\n    n += 1\n"})
        quiet, lines = ungil("check", "-q", cwd=folder), ungil("check", "--format", "concise", cwd=folder)
        c.check("count.py:6:5: UG101" in quiet.out and lines.out.startswith(quiet.out), lambda: "%s\n%s" % (quiet, lines))
        c.check(quiet.code == 1 and lines.code == 1, lambda: str(quiet))


def test_status(c):
    with project() as folder:
        c.code(ungil("check", cwd=folder), 1)
        c.code(ungil("check", "app/util.py", cwd=folder), 0)
        c.code(ungil("check", "--exit-zero", cwd=folder), 0)
        c.code(ungil("check", "no/such/file.py", cwd=folder), 2)
        c.has(ungil("check", "no/such/file.py", cwd=folder), "no/such/file.py", stream="err")
        c.code(ungil("check", "--exit-zero", "no/such/file.py", cwd=folder), 2)
        c.code(ungil("diff", "app/util.py", cwd=folder), 0)
        c.code(ungil("diff", cwd=folder), 1)
        c.code(ungil("fix", cwd=folder), 1)
        c.code(ungil("fix", cwd=folder), 0)
        c.code(ungil("check", cwd=folder), 0)


def test_usage_errors(c):
    with project() as folder:
        for args, word in ((["check", "--no-such-option"], "--no-such-option"), (["no-such-command"], "no-such-command"),
                           (["check", "--format", "morse"], "morse"), (["check", "--jobs", "many"], "many"),
                           (["check", "--model", "java"], "java"), (["check", "--min-confidence", "total"], "total"),
                           (["check", "--select", "UG777"], "UG777"), (["check", "--target", "2.7"], "2.7"),
                           (["check", "--config", "missing.toml"], "missing.toml"), (["explain", "UG777"], "UG777"),
                           (["check", "--format"], "--format"), (["check", "--dump", "thoughts"], "thoughts"),
                           (["check", "--exclude", "[abc"], "[abc"), (["fix", "--only", ""], "--only"), (["diff", "--only", ","], "--only"),
                           (["check", "--select", ""], "--select"), (["check", "--include", ""], "--include"),
                           (["fix", "--extend-unsafe-fixes", ""], "--extend-unsafe-fixes"), (["commit", "--branch", ""], "--branch"),
                           (["check", "--jobs", ""], "--jobs"), (["doctor", "--import", ""], "--import"),
                           (["serve", "--repositories", ""], "--repositories")):
            result = ungil(*args, cwd=folder)
            c.code(result, 2)
            c.has(result, word, stream="err")
            c.equal(result.out, "", result)


def test_empty_lists(c):
    """Where none is what an empty value says, it takes the place of the configuration's list."""
    with project({"a.py": COUNTER, "ungil.toml": 'ignore = ["UG101"]\n'}) as folder:
        c.code(ungil("check", cwd=folder), 0)
        c.code(ungil("check", "--ignore", "", cwd=folder), 1)
    with project({"a.py": COUNTER, "ungil.toml": 'exclude = ["a.py"]\n'}) as folder:
        c.code(ungil("check", cwd=folder), 0)
        c.code(ungil("check", "--exclude", "", cwd=folder), 1)
    with project({"a[1].py": COUNTER}) as folder:
        c.code(ungil("check", "--exclude", "a[[]1].py", cwd=folder), 0)


def test_help(c):
    general = ungil("--help")
    c.code(general, 0)
    c.has(general, "check", "diff", "fix", "commit", "explain")
    c.check(max(map(len, general.out.splitlines()), default=0) <= 120, lambda: "lines too long\n%s" % general)
    c.equal(general.err, "")
    for command in ("check", "diff", "fix", "commit", "explain", "rules", "transforms"):
        result = ungil(command, "--help")
        c.code(result, 0)
        c.has(result, "ungil " + command)
        text_only = command in ("diff", "fix", "commit", "explain")
        c.equal("--format" in result.out, not text_only)
    nothing = ungil()
    c.check(nothing.code in (0, 2) and "check" in nothing.out + nothing.err, nothing)


def test_version(c):
    result = ungil("--version")
    c.code(result, 0)
    c.check(re.fullmatch(r"ungil \d+\.\d+(\.\d+)?\S*\n", result.out), result)


def test_closed_output(c):
    with project() as folder:
        result = lib.execute(["sh", "-c", '"$0" check --format json >/dev/full; echo $?', lib.UNGIL], cwd=folder)
        c.check(result.out.strip() == "2" and result.err.strip(), lambda: "writing to a full device must fail\n%s" % result)
        result = lib.execute(["sh", "-c", '"$0" check | true', lib.UNGIL], cwd=folder)
        c.code(result, 0)


# --- check: JSON and the other formats ----------------------------------------------------------------------------------------

def test_many_alike(c):
    """Of many findings of one rule about one state the text shows the first three, and where the others are."""
    text = "import threading\n\nhits = 0\nmisses = 0\n\n\ndef work():\n    global hits, misses\n    misses += 1\n" + \
        "    hits += 1\n" * 20 + "\n\nfor _ in range(4):\n    threading.Thread(target=work).start()\n"
    with project({"many.py": text}) as folder:
        short = ungil("check", cwd=folder)
        c.check(short.out.count("error[UG101]") == 4, short)
        c.check("17 findings of the same in this file, at lines 13, 14, " in short.out and "24, …; -v" in short.out, short)
        c.check("\n21 findings " in short.out, short)
        c.check(ungil("check", "-v", cwd=folder).out.count("error[UG101]") == 21)
        c.check(len(findings(folder)) == 21)
    with project({"many.py": text.replace("    hits += 1\n" * 16, "")}) as folder:
        one = ungil("check", cwd=folder)
        c.check("   = more: 1 finding of the same in this file, at line 13; -v shows all\n" in one.out, one)


def test_json(c):
    with project() as folder:
        result = ungil("check", "--format", "json", cwd=folder)
        c.code(result, 1)
        c.equal(result.err, "", "JSON belongs to stdout, and nothing to stderr")
        data = result.json()
        c.equal(data["version"], 1)
        c.equal(data["tool"]["name"], "ungil")
        c.check(data["tool"]["version"] and data["tool"]["version"] in ungil("--version").out)
        c.check({"findings", "notes", "summary"} <= set(data), sorted(data))
        c.equal(sorted({(f["path"], f["rule"]) for f in data["findings"]}), [("app/stats.py", "UG101"), ("app/store.py", "UG104")])
        for f in data["findings"]:
            check_finding(c, f, folder)
        s = data["summary"]
        c.check({"files", "lines", "bytes", "findings", "fixable", "seconds"} <= set(s), sorted(s))
        c.equal((s["files"], s["findings"]), (4, len(data["findings"])))
        c.equal(s["lines"], sum(t.count("\n") for t in PROJECT.values()))
        c.equal(s["bytes"], sum(len(t) for t in PROJECT.values()))
        c.equal(s["fixable"], 2)
        c.check(isinstance(s["seconds"], (int, float)) and 0 <= s["seconds"] < 60, s)
        f = next(f for f in data["findings"] if f["rule"] == "UG101")
        c.equal((f["name"], f["line"], f["column"], f["state"], f["impact"], f["suppressed"]),
                ("unguarded-update", 8, 5, "app.stats.hits", "new", False))
        c.check(any("hit" in root and "app/stats.py:13" in root for s in f["sites"] for root in s["roots"]), f["sites"])


def check_position(c, where, text, what):
    keys = ("line", "column", "end_line", "end_column")
    if not c.check(all(isinstance(where.get(k), int) and where[k] >= 1 for k in keys), "%s: %r" % (what, where)):
        return
    start, end = (where["line"], where["column"]), (where["end_line"], where["end_column"])
    lines = text.split("\n")
    c.check(start <= end and where["end_line"] <= len(lines) and where["end_column"] <= len(lines[where["end_line"] - 1]) + 1,
            "%s: outside of the text: %r" % (what, where))


def check_finding(c, f, folder):
    kinds = {"rule": str, "name": str, "impact": str, "severity": str, "confidence": str, "path": str, "line": int, "column": int,
             "end_line": int, "end_column": int, "state": str, "message": str, "fingerprint": str, "sites": list, "suppressed": bool}
    for key, kind in kinds.items():
        c.check(isinstance(f.get(key), kind), "%s is %r" % (key, f.get(key)))
    c.check(re.fullmatch(r"UG\d{3}", f["rule"]), f["rule"])
    c.check(re.fullmatch(r"[0-9a-f]{16}", f["fingerprint"]), f["fingerprint"])
    c.check(f["impact"] in ("new", "worse", "duplicate-work", "by-contract", "advice"), f["impact"])
    c.check(f["severity"] in ("error", "warning", "note"), f["severity"])
    c.check(f["confidence"] in ("high", "medium", "low"), f["confidence"])
    text = lib.read_file(os.path.join(folder, f["path"])).decode()
    check_position(c, f, text, "finding")
    c.check(f["sites"], "a finding needs its witnesses")
    for s in f["sites"]:
        c.check(s.get("access") in ("read", "write", "update", "test", "iterate", "call"), s)
        c.check(isinstance(s.get("locks"), list) and isinstance(s.get("roots"), list), s)
        check_position(c, s, lib.read_file(os.path.join(folder, s["path"])).decode(), "site")
    c.check("fix" in f, "fix must be there, null when there is none")
    if f["fix"]:
        fix = f["fix"]
        c.check(isinstance(fix["transform"], str) and fix["safety"] in ("safe", "unsafe", "manual"), fix)
        c.check(isinstance(fix["edits"], list) and (fix["edits"] or fix.get("reason")), fix)
        for e in fix["edits"]:
            data = lib.read_file(os.path.join(folder, e["path"]))
            c.check(0 <= e["start_byte"] <= e["end_byte"] <= len(data) and isinstance(e["text"], str), e)
            check_position(c, e, data.decode(), "edit")
            line = data[:e["start_byte"]].count(b"\n") + 1
            column = len(data[:e["start_byte"]].decode().rpartition("\n")[2]) + 1
            c.equal((e["line"], e["column"]), (line, column), "byte offset and line:column disagree")


def test_columns(c):
    """Columns count code points, bytes are bytes."""
    text = 'import threading\n\nhits = {}\n\n\ndef hit(x):\n    "ä€😀"; hits["ä€😀"] += x\n\n\ndef run():\n    for _ in range(4):\n        threading.Thread(target=hit, args=(1,)).start()\n'
    with project({"u.py": text}) as folder:
        found = findings(folder, "--select", "UG101")
        if c.equal(len(found), 1):
            c.equal((found[0]["line"], found[0]["column"]), (7, 12))


def test_other_formats(c):
    with project() as folder:
        text = ungil("check", cwd=folder)
        c.has(text, "app/stats.py", "UG101", "hits += 1", "app/store.py", "UG104")
        c.lacks(text, "\x1b[")
        concise = ungil("check", "--format", "concise", cwd=folder)
        c.check(re.search(r"^app/stats\.py:8:5: .*UG101", concise.out, re.M), concise)
        c.has(ungil("check", "--color", "always", cwd=folder), "\x1b[")
        c.lacks(lib.execute([lib.UNGIL, "check", "--color", "never"], cwd=folder), "\x1b[")
        target = os.path.join(folder, "out.json")
        c.code(ungil("check", "--format", "json", "-o", target, cwd=folder), 1)
        c.check(json.loads(lib.read_file(target))["findings"])
        for name in ("jsonl", "sarif", "rdjson", "github", "gitlab", "html"):
            result = ungil("check", "--format", name, cwd=folder)
            if result.code == 2 and re.search(r"not (yet )?(implemented|supported|available|written)", result.err):
                c.skip("format %s is not there yet" % name)
                continue
            c.code(result, 1)
            if name == "jsonl":
                rows = [json.loads(line) for line in result.out.splitlines()]
                c.check(len(rows) >= 2, result)
            elif name == "sarif":
                sarif = json.loads(result.raw)
                c.equal(sarif["version"], "2.1.0")
                run = sarif["runs"][0]
                c.equal(run["tool"]["driver"]["name"], "ungil")
                c.equal(sorted(r["ruleId"] for r in run["results"]), ["UG101", "UG104"])
                place = run["results"][0]["locations"][0]["physicalLocation"]
                c.equal(place["artifactLocation"]["uri"], "app/stats.py")
            elif name == "rdjson":
                c.equal(sorted(d["code"]["value"] for d in json.loads(result.raw)["diagnostics"]), ["UG101", "UG104"])
            elif name == "gitlab":
                c.check(all({"description", "check_name", "fingerprint", "severity", "location"} <= set(d) for d in json.loads(result.raw)), result)
            elif name == "github":
                c.check(re.search(r"^::(error|warning|notice) .*file=app/stats\.py,.*line=8", result.out, re.M), result)


def test_statistics(c):
    with project() as folder:
        result = ungil("check", "--statistics", cwd=folder)
        c.code(result, 1)
        c.has(result, "UG101", "UG104", stream="both")


def test_quiet(c):
    with project({"a.py": CLEAN}) as folder:
        c.equal(ungil("check", "-q", cwd=folder).raw, b"")


# --- What is reported -----------------------------------------------------------------------------------------------------------

def test_select(c):
    with project() as folder:
        c.equal(rules(folder), ["UG101", "UG104"])
        c.equal(rules(folder, "--select", "UG101"), ["UG101"])
        c.equal(rules(folder, "--ignore", "UG101"), ["UG104"])
        c.equal(rules(folder, "--select", "UG1"), ["UG101", "UG104"])
        c.equal(rules(folder, "--select", "UG1", "--ignore", "UG104"), ["UG101"])
        c.equal(rules(folder, "--select", "UG101,UG104"), ["UG101", "UG104"])
        c.equal(rules(folder, "--select", "UG2"), [])
        before = lib.read_tree(folder)
        ungil("fix", "--select", "UG101", cwd=folder)
        after = lib.read_tree(folder)
        c.equal([n for n in after if after[n] != before[n]], ["app/stats.py"])


def test_paths(c):
    with project({"a/one.py": COUNTER, "b/two.py": COUNTER, "b/three.txt": COUNTER, "b/script": "#!/usr/bin/env python3\n" + COUNTER}) as folder:
        paths = lambda *o, **k: sorted({f["path"] for f in json.loads(ungil("check", "--format", "json", *o, **k).raw)["findings"]})
        c.equal([p for p in paths(cwd=folder) if p.endswith(".py")], ["a/one.py", "b/two.py"])
        c.equal(paths("a", cwd=folder), ["one.py"])
        c.equal(paths("a", "--root", ".", cwd=folder), ["a/one.py"])
        c.equal(paths("a/one.py", "b", cwd=folder)[:1], ["a/one.py"])
        c.equal([p for p in paths("--exclude", "a/*", cwd=folder) if p.endswith(".py")], ["b/two.py"])
        c.equal(len(paths("a", "a/one.py", "a", cwd=folder)), 1)
        c.equal(paths("--root", folder, os.path.join(folder, "a"), cwd="/"), ["a/one.py"])


def test_gitignore(c):
    with project({"kept.py": COUNTER, "made.py": COUNTER, ".gitignore": "made.py\n"}, repository=True) as folder:
        c.equal(sorted({f["path"] for f in findings(folder)}), ["kept.py"])
        c.equal(sorted({f["path"] for f in findings(folder, "--no-gitignore")}), ["kept.py", "made.py"])


def test_gitignore_as_git(c):
    """What git lists is analysed, and nothing else: negations against another file's pattern, and patterns of every shape."""
    files = {name: COUNTER for name in ("d.py", "sub/d.py", "a/b/x.py", "a/b/xy.py", "a/x.py", "#a.py", "!b.py", "deep/one/two/k.py", "gone/in.py",
                                        "gone/keep.py", "f/g.py", "f/h/g.py", "e e.py", "y/z.py", "w/[x].py")}
    files.update({".gitignore": "d.py\nx*\n!/a/b/x.py\n\\#a.py\n\\!b.py\n# c.py\ndeep/**/k.py\r\ngone/\n!gone/keep.py\n/f/*.py\ne\\ e.py  \n[!a-xz]/\n",
                  "sub/.gitignore": "!d.py\n", "w/.gitignore": "\\[x\\].py\n", "f/h/.gitignore": "!g.py\n"})
    with project(files, repository=True) as folder:
        write_file(os.path.join(folder, ".git/info/exclude"), "/a/x.py\nxy.py\n")
        git("rm", "-rq", "--cached", ".", cwd=folder)
        for tracked in ((), ("gone/in.py", "a/x.py")):
            if tracked:
                git("add", "-f", *tracked, cwd=folder)
            listed = git("ls-files", "-z", "-c", "-o", "--exclude-standard", cwd=folder).out.split("\0")
            wanted = sorted(n for n in listed if n.endswith(".py"))
            c.check("sub/d.py" in wanted and "a/b/x.py" in wanted and "d.py" not in wanted, wanted)
            c.equal(sorted({f["path"] for f in findings(folder)}), wanted)
            c.equal(sorted({f["path"] for f in findings(folder, os.path.join(folder, "sub"), "--root", folder)}), ["sub/d.py"])


def test_model(c):
    with project({"rows.py": LIST}) as folder:
        c.code(ungil("check", cwd=folder), 0)
        c.equal(rules(folder), [])
        c.equal(rules(folder, "--model", "strict"), ["UG202"])
        c.code(ungil("check", "--model", "strict", cwd=folder), 1)
        selected = findings(folder, "--select", "UG202")
        if selected:
            c.equal((selected[0]["severity"], selected[0]["impact"]), ("note", "advice"))
            c.code(ungil("check", "--select", "UG202", cwd=folder), 0)
        c.equal(ungil("diff", cwd=folder).raw, b"")
        c.check(re.search(r"Lock\(\)|deque\(\)", ungil("diff", "--model", "strict", cwd=folder).out), "strict has a fix for it")


def test_assume_threads(c):
    alone = "count = 0\n\n\ndef bump():\n    global count\n    count += 1\n"
    attribute = "class Meter:\n    def __init__(self):\n        self.n = 0\n\n    def bump(self):\n        self.n += 1\n"
    script = alone + "\n\nif __name__ == '__main__':\n    bump()\n"
    with project({"lib.py": alone}) as folder:
        c.equal(rules(folder), ["UG101"], "module state of a library counts as shared")
        c.equal(rules(folder, "--assume-threads", "never"), [])
    with project({"lib.py": attribute}) as folder:
        c.equal(rules(folder), [], "a plain attribute is no shared state without evidence")
        c.equal(rules(folder, "--assume-threads", "always"), ["UG101"])
    with project({"script.py": script}) as folder:
        c.equal(rules(folder), [], "a script without threads")
        c.equal(rules(folder, "--assume-threads", "always"), ["UG101"])


def test_confidence(c):
    with project() as folder:
        everything = findings(folder, "--min-confidence", "low")
        high = findings(folder, "--min-confidence", "high")
        c.check(len(high) <= len(findings(folder)) <= len(everything))
        c.check(all(f["confidence"] == "high" for f in high), high)
        c.check("UG101" in {f["rule"] for f in high}, "a counter with its threads in sight is certain")


# --- Comments, configuration ------------------------------------------------------------------------------------------------

def commented(line="", above="", top=""):
    text = COUNTER.replace("    hits += 1\n", "%s    hits += 1%s\n" % ("    %s\n" % above if above else "", "  " + line if line else ""))
    return (top + "\n" if top else "") + text


def test_suppression(c):
    for name, text, silent in (
            ("end of line", commented("# ungil: ignore[UG101] an estimate will do"), True),
            ("line above", commented(above="# ungil: ignore[UG101] an estimate will do"), True),
            ("no codes", commented("# ungil: ignore"), True),
            ("group", commented("# ungil: ignore[UG1]"), True),
            ("several", commented("# ungil: ignore[UG104, UG101]"), True),
            ("other rule", commented("# ungil: ignore[UG104]"), False),
            ("whole file", commented(top="# ungil: file-ignore[UG1] generated"), True),
            ("whole file, other rule", commented(top="# ungil: file-ignore[UG2] generated"), False),
            ("noqa", commented("# noqa: UG101"), True),
            ("noqa, several", commented("# noqa: E501, UG101"), True),
            ("noqa, other", commented("# noqa: E501"), False),
            ("behind another tool's", commented("# type: ignore  # ungil: ignore[UG101] an estimate"), True),
            ("behind noqa", commented("# noqa: E501 # ungil: ignore[UG101] an estimate"), True),
            ("commented out", commented(above="# hits = 0  # ungil: ignore[UG101] an estimate"), False),
            ("another word", commented("# ungil: ignore-next[UG101]"), False),
            ("misspelt", commented("# ungil: ignroe[UG101]"), False),
            ("no codes, a reason", commented("# ungil: ignore (an estimate will do)"), True),
            ("parentheses", commented("# ungil: ignore(UG101) why"), False),
            ("parentheses, another rule", commented("# ungil: ignore (ug102, UG101)"), False),
            ("colon", commented("# ungil: ignore: UG102"), False),
            ("no brackets", commented("# ungil: ignore UG102"), False),
            ("a name without brackets", commented("# ungil: ignore check-then-act"), False),
            ("brackets left open", commented("# ungil: ignore[UG101 an estimate"), False),
            ("whole file, no brackets", commented(top="# ungil: file-ignore UG102"), False),
            ("noqa in capitals", commented("# NOQA: UG101"), True),
            ("noqa in small letters", commented("# noqa:ug101 an estimate"), True),
            ("noqa alone on the line above", commented(above="# noqa: UG101"), False),
            ("above a block", COUNTER.replace("    hits += 1", "    # ungil: ignore[UG101] why\n    if hits < 9:\n        print()\n        hits += 1"), True),
            ("on the head of a block", COUNTER.replace("    hits += 1", "    for _ in 'ab':  # ungil: ignore[UG101] why\n        hits += 1"), False),
            ("above a function", COUNTER.replace("def hit(", "# ungil: ignore[UG101] why\ndef hit("), False),
            ("single-threaded, above a function", COUNTER.replace("def hit(", "# ungil: single-threaded\ndef hit("), True),
            ("confined, on a function", COUNTER.replace("def hit():", "def hit():  # ungil: thread-confined"), True),
            ("confined", COUNTER.replace("hits = 0\n\n", "hits = 0  # ungil: thread-confined\n\n"), True),
            ("a string that looks so", COUNTER.replace("hits += 1", 'hits += 1; "# ungil: ignore[UG101]"'), False)):
        with project({"a.py": text}) as folder:
            result = ungil("check", "--format", "json", "--select", "UG101", cwd=folder)
            open_ = [f for f in result.json()["findings"] if not f["suppressed"]]
            c.check(bool(open_) != silent and result.code == (0 if silent else 1), lambda: "%s\n%s" % (name, result))
            diff = ungil("diff", "--select", "UG101", cwd=folder)
            c.check((diff.raw == b"") == silent, lambda: "%s\n%s" % (name, diff))


def test_unused_suppression(c):
    with project({"a.py": CLEAN.replace("return a + b", "return a + b  # ungil: ignore[UG101] nothing here")}) as folder:
        found = findings(folder)
        c.equal([f["rule"] for f in found], ["UG901"])
    with project({"a.py": CLEAN.replace("return a + b", "return a + b  # ungil: ignore[UG1, UG999] nothing")}) as folder:
        c.has(ungil("check", cwd=folder), "silences no finding: UG999 is no rule")
    with project({"a.py": CLEAN.replace("return a + b", "return a + b  # ungil: ignroe[UG101]")}) as folder:
        notes = ungil("check", "--format", "json", cwd=folder).json()["notes"]
        c.equal([(n["code"], n["line"]) for n in notes], [("unknown-comment", CLEAN.split("return a + b")[0].count("\n") + 1)])
        c.check("ignroe" in notes[0]["message"], notes)


def test_malformed_suppression(c):
    for comment in ("ignore(UG102)", "ignore: UG102", "ignore UG102", "file-ignore = UG102", "ignore[UG102"):
        with project({"a.py": CLEAN.replace("return a + b", "return a + b  # ungil: " + comment)}) as folder:
            report = ungil("check", "--format", "json", cwd=folder).json()
            c.equal([(n["code"], n["line"]) for n in report["notes"]], [("malformed-comment", CLEAN.split("return a + b")[0].count("\n") + 1)], comment)
            c.check("in brackets" in report["notes"][0]["message"] and not report["findings"], report)


def test_suppression_at_the_test(c):
    """A finding of two steps is silenced at either of them."""
    for line in ("    if key not in seen:", "        seen.append(key)"):
        text = SEEN.replace(line, line + "  # ungil: ignore[UG102] twice is fine")
        with project({"a.py": text}) as folder:
            result = ungil("check", "--format", "json", cwd=folder)
            c.equal([(f["rule"], f["suppressed"]) for f in result.json()["findings"]], [("UG102", True)], result)


def test_baseline(c):
    with project() as folder:
        file = os.path.join(folder, "ungil-baseline.json")
        made = ungil("baseline", cwd=folder)
        c.code(made, 0)
        c.has(made, "2 findings recorded in ungil-baseline.json", stream="err")
        first = lib.read_file(file).decode()
        entries = json.loads(first)["entries"]
        c.equal([(e["rule"], e["path"], e["in"], e["state"]) for e in entries],
                [("UG101", "app/stats.py", "app.stats.hit", "app.stats.hits"),
                 ("UG104", "app/store.py", "app.store.load", "app.store.cache")])
        c.check(all("line" not in e and not re.search(r"line \d", e["message"]) for e in entries), first)
        c.equal(len([line for line in first.splitlines() if '"fingerprint"' in line]), 2, "one entry a line")
        # Nothing counts any more, wherever the lines are.
        options = ("--baseline", "ungil-baseline.json")
        write_file(os.path.join(folder, "app/stats.py"), "# a line more\n\n" + COUNTER)
        result = ungil("check", *options, cwd=folder)
        c.check(result.code == 0 and result.out == "" and "2 in the baseline" in result.err, result)
        listed = findings(folder, *options)
        c.equal([(f["suppressed"], f["baseline"]) for f in listed], [(True, True)] * 2)
        c.equal([(f["suppressed"], f["baseline"]) for f in findings(folder)], [(False, False)] * 2)
        c.check(ungil("diff", *options, cwd=folder).raw == b"")
        c.code(ungil("fix", *options, cwd=folder), 0)
        sarif = ungil("check", "--format", "sarif", *options, cwd=folder).json()["runs"][0]["results"]
        c.equal([(r["baselineState"], r["suppressions"][0]["kind"]) for r in sarif], [("unchanged", "external")] * 2)
        for form in ("concise", "github", "rdjson", "gitlab", "html"):
            c.check("UG104" not in ungil("check", "--format", form, *options, cwd=folder).out, form)
        # The same findings make the same file.
        ungil("baseline", cwd=folder)
        c.equal(lib.read_file(file).decode(), first)
        # What is new counts, is fixed, and says so.
        write_file(os.path.join(folder, "app/more.py"), LIST.replace("rows.append(n)", "rows[0] += 1"))
        result = ungil("check", *options, cwd=folder)
        c.code(result, 1)
        c.has(result, "app/more.py:7", "1 finding", "2 in the baseline")
        sarif = ungil("check", "--format", "sarif", *options, cwd=folder).json()["runs"][0]["results"]
        c.equal([r["baselineState"] for r in sarif], ["new", "unchanged", "unchanged"])
        c.code(ungil("fix", *options, cwd=folder), 1)
        c.equal(lib.read_file(os.path.join(folder, "app/store.py")).decode(), CACHE, "known findings are left alone")
        c.check("Lock" in lib.read_file(os.path.join(folder, "app/more.py")).decode(), "the new one is fixed")
        c.code(ungil("check", *options, cwd=folder), 0)


def test_baseline_with_known_state(c):
    """A new finding about state that has a known one: the fix of the place is proved all the same."""
    more = COUNTER.replace("def run", "def hit_again():\n    global hits\n    hits += 2\n\n\ndef run").replace(
        ".start()", ".start()\n        threading.Thread(target=hit_again).start()")
    with project({"a.py": COUNTER}) as folder:
        ungil("baseline", cwd=folder)
        write_file(os.path.join(folder, "a.py"), more)
        listed = findings(folder, "--baseline", "ungil-baseline.json")
        c.equal([f["suppressed"] for f in listed], [True, False])
        fixed = ungil("fix", "--baseline", "ungil-baseline.json", cwd=folder)
        c.has(fixed, "fixed 1 finding in 1 file")
        c.equal(lib.read_file(os.path.join(folder, "a.py")).decode().count("with "), 2)


def test_stale_baseline(c):
    with project() as folder:
        options = ("--baseline", "ungil-baseline.json")
        ungil("baseline", cwd=folder)
        write_file(os.path.join(folder, "app/stats.py"), CLEAN)
        result = ungil("check", *options, cwd=folder)
        c.code(result, 0)
        c.has(result, "ungil-baseline.json:6:22: note[UG903] stale-baseline: UG101", "app/stats.py")
        stale = [f for f in findings(folder, *options) if f["rule"] == "UG903"]
        c.equal([(f["path"], f["line"], f["state"], f["severity"]) for f in stale],
                [("ungil-baseline.json", 6, "app.stats.hits", "note")])
        for form in ("concise", "jsonl", "sarif", "rdjson", "github", "gitlab", "html"):
            result = ungil("check", "--format", form, *options, cwd=folder)
            c.check("UG903" in result.out and "ungil-baseline.json" in result.out and not result.crashed, result)
        # Not stale: what this run did not read, cannot read, or would not look for.
        c.equal([f["rule"] for f in findings(folder, *options, "app/store.py")], ["UG104"])
        c.equal(rules(folder, *options, "--model", "strict"), ["UG104"])
        c.equal(rules(folder, *options, "--ignore", "UG903"), ["UG104"])
        c.equal(rules(folder, *options, "--min-confidence", "high"), ["UG903"])
        write_file(os.path.join(folder, "app/stats.py"), "def broken(:\n")
        c.equal(rules(folder, *options), ["UG104"])
        os.remove(os.path.join(folder, "app/stats.py"))
        c.equal(rules(folder, *options), ["UG104", "UG903"], "the file is gone")
        # A new recording takes it out, and keeps what it did not look at.
        made = ungil("baseline", "app/util.py", cwd=folder)
        c.has(made, "0 findings recorded", "1 older one kept", "1 gone", stream="err")
        c.equal([e["rule"] for e in json.loads(lib.read_file(os.path.join(folder, "ungil-baseline.json")))["entries"]],
                ["UG104"])
        c.equal(rules(folder, *options), ["UG104"])


def test_broken_baseline(c):
    for text, words in (("{", ("b.json:1", "not JSON")), ("{}", ("b.json:1", "no baseline")),
                        ('{"version": 2, "entries": []}', ("b.json:1", "another version")),
                        ('{"version": 1,\n "entries": [7]}', ("b.json:1", "an entry")),
                        ('{"version": 1, "entries": [\n{"fingerprint": "xyz", "rule": "UG101", "path": "a.py"}]}',
                         ("b.json:2", "16 hexadecimal")),
                        (b"\xff\xfe", ("b.json:1", "UTF-8")), (b"{\0}", ("b.json",))):
        with project() as folder:
            write_file(os.path.join(folder, "b.json"), text)
            for command in ("check", "baseline"):
                result = ungil(command, "--baseline", "b.json", cwd=folder)
                c.code(result, 2)
                c.has(result, *words, stream="err")
            was = text if isinstance(text, bytes) else text.encode()
            c.equal(lib.read_file(os.path.join(folder, "b.json")), was, "a broken file is not written over")
    with project({**PROJECT, "ungil.toml": 'baseline = "conf/known.json"\n'}) as folder:
        result = ungil("check", cwd=folder)
        c.code(result, 2)
        c.has(result, "there is no baseline conf/known.json", "ungil baseline", stream="err")
        c.code(ungil("baseline", cwd=folder), 2)
        os.mkdir(os.path.join(folder, "conf"))
        c.code(ungil("baseline", cwd=folder), 0)
        c.code(ungil("check", cwd=folder), 0)
        c.code(ungil("check", "--isolated", cwd=folder), 1)
        c.code(ungil("baseline", "-o", "other.json", cwd=folder), 0)
        c.equal(lib.read_file(os.path.join(folder, "other.json")),
                lib.read_file(os.path.join(folder, "conf/known.json")))
        c.code(ungil("check", "--baseline", ".", cwd=folder), 2)
        c.code(ungil("baseline", "--format", "json", cwd=folder), 2)


UNSEEN = '''import importlib
import other
import socket
from other import *
from nowhere import *

hits = 0


def known():
    return 1


def work(name, value, thing):
    exec("hits = 1")
    setattr(thing, name, value)
    thing.__dict__.update(value)
    globals().update(value)
    getattr(thing, name)
    getattr(thing, "plain")
    setattr(thing, "plain", value)
    importlib.import_module(name)
    importlib.import_module("json")
    other.run = known
    socket.socket = known
    other.count = 1
    thing.method()
    "text".upper()
'''


def test_proof_of_packages(c):
    """The proof of a fix knows a package's module by its name, and so an old finding by its fingerprint."""
    text = COUNTER + '''

def made():
    lock = threading.Lock()
    with lock:
        return hits
'''
    for path in ("src/pkg/__init__.py", "src/pkg/mod.py", "a.py"):
        with project({"src/pkg/__init__.py": "", path: text, "pyproject.toml": ""}) as folder:
            c.equal(rules(folder), ["UG101", "UG301"], path)
            c.has(ungil("fix", cwd=folder), "fixed 1 finding in 1 file")
            c.equal(rules(folder), ["UG301"], path)


def test_unseen(c):
    """Every run says what it could not follow."""
    files = {"a.py": UNSEEN, "other.py": "count = 0\n\n\ndef run():\n    return 0\n",
             "broken.py": "def f():\n    x = = 1\n", "binary.py": b"x = 1\0\n", "latin.py": b"x = 1\ny = '\xe9'\n"}
    with project(files) as folder:
        result = ungil("check", "--format", "json", cwd=folder)
        c.equal(result.json()["summary"]["unseen"],
                {"exec": 1, "computed-store": 3, "computed-load": 1, "computed-import": 1, "monkeypatch": 2,
                 "star-import": 1, "receiver": 2, "syntax-error": 1, "file": 2})
        c.has(ungil("check", cwd=folder), "not followed: exec or eval (1), stores to computed names (3)",
              "files left out (2)", stream="both")
        run = ungil("check", "--format", "sarif", cwd=folder).json()["runs"][0]
        notes = {n["descriptor"]["id"]: n["message"]["text"] for n in
                 run["invocations"][0]["toolExecutionNotifications"]}
        c.check("unseen-exec" in notes and "(1)" in notes["unseen-exec"] and "unseen-file" in notes, notes)
        c.lacks(ungil("check", "-q", cwd=folder), "not followed", stream="both")
    with project({"a.py": CLEAN}) as folder:
        result = ungil("check", "--format", "json", cwd=folder)
        c.check(set(result.json()["summary"]["unseen"].values()) == {0}, result)
        c.lacks(ungil("check", cwd=folder), "not followed", stream="both")


def test_packaged(c):
    """Whether others use a small program is what its pyproject.toml says, read as TOML."""
    store = "hits = 0\n\n\ndef count():\n    global hits\n    hits += 1\n"
    main = 'import store\n\n\nif __name__ == "__main__":\n    store.count()\n'
    for text, others in (("", False), ("# [project]\n", False), ('[tool.x]\ny = """\n[project]\n"""\n', False), ("[project\n", False),
                         ('[project]\nname = "x"\n', True), ('[ project ]\nname = "x"\n', True),
                         ('project = {name = "x"}\n', True), ('[tool.poetry.dependencies]\nx = "1"\n', True)):
        with project({"store.py": store, "main.py": main, "pyproject.toml": text}) as folder:
            result = ungil("check", ".", "--isolated", "-q", cwd=folder)
            c.code(result, 1 if others else 0)


def test_configuration(c):
    with project() as folder:
        write_file(os.path.join(folder, "pyproject.toml"), '[tool.other]\nx = 1\n\n[tool.ungil]\nselect = ["UG104"]\n')
        c.equal(rules(folder), ["UG104"])
        c.equal(rules(folder, "--select", "UG101"), ["UG101"], "the command line wins")
        c.equal(rules(folder, "--isolated"), ["UG101", "UG104"])
        c.equal(rules(os.path.join(folder, "app")), ["UG104"], "found from a folder below")
        write_file(os.path.join(folder, "other.toml"), 'ignore = ["UG104"]\n')
        c.equal(rules(folder, "--config", "other.toml"), ["UG101"])
    with project() as folder:
        write_file(os.path.join(folder, "ungil.toml"), '# ours\nignore = ["UG101"]\nmin-confidence = "low"\nexclude = ["nothing/*"]\n')
        c.equal(rules(folder), ["UG104"])
    with project({"rows.py": LIST, "ungil.toml": 'model = "strict"\n'}) as folder:
        c.equal(rules(folder), ["UG202"])


def test_configuration_of_rules(c):
    """[tool.ungil.rules]: severity and confidence of some rules."""
    def answer(text, *options):
        with project({**PROJECT, "ungil.toml": text}) as folder:
            return ungil("check", "--format", "json", *options, cwd=folder)
    severe = lambda result: {f["rule"]: f["severity"] for f in result.json()["findings"]}
    c.equal(severe(answer('')), {"UG101": "error", "UG104": "warning"})
    note = answer('[rules.UG104]\nseverity = "error"\n[rules.UG101]\nseverity = "note"\n')
    c.equal(severe(note), {"UG101": "note", "UG104": "error"})
    c.code(answer('[rules.UG1]\nseverity = "note"\n'), 0)
    c.equal(severe(answer('[rules.UG1]\nseverity = "note"\n[rules.unguarded-update]\nseverity = "warning"\n'))["UG101"], "warning")
    low = 'min-confidence = "low"\n[rules.UG1]\nmin-confidence = "high"\n[rules.UG104]\nmin-confidence = "low"\n'
    c.equal(set(severe(answer(low))) - {"UG101"}, {"UG104"})
    c.equal(set(severe(answer('[rules.UG1]\nmin-confidence = "high"\n', "--min-confidence", "low"))), {"UG101", "UG104"}, "the command line wins")


def test_configuration_errors(c):
    for name, text, line, word in (
            ("pyproject.toml", '[project]\nname = "x"\n\n[tool.ungil]\nselect = ["UG1"]\nspeling = 1\n', 6, "speling"),
            ("ungil.toml", 'select = ["UG1"]\nmodl = "strict"\n', 2, "modl"),
            ("ungil.toml", 'model = "java"\n', 1, "java"),
            ("ungil.toml", '\n\nselect = "UG1\n', 3, "ungil.toml"),
            ("ungil.toml", '[rules.UG999]\nseverity = "note"\n', 1, "UG999"),
            ("ungil.toml", '[rules.UG101]\nseverity = "loud"\n', 2, "note, warning or error"),
            ("ungil.toml", '[rules.UG101]\nmin-confidence = 3\n', 2, "low, medium or high"),
            ("ungil.toml", '[rules.UG101]\nsevere = "note"\n', 2, "severe"),
            ("ungil.toml", 'rules = 3\n', 1, "rules"),
            ("ungil.toml", 'exclude = [\n    "a",\n    "[abc",\n]\n', 3, "[abc"),
            ("pyproject.toml", '[tool.ungil.per-file-ignores]\n"tests/[" = ["UG1"]\n', 2, "tests/["),
            ("ungil.toml", 'select = ["UG999"]\n', 1, "UG999")):
        with project() as folder:
            write_file(os.path.join(folder, name), text)
            result = ungil("check", cwd=folder)
            c.code(result, 2)
            c.has(result, "%s:%d" % (name, line), word, stream="err")
            c.code(ungil("check", "--isolated", cwd=folder), 1)


def test_unrelated_pyproject(c):
    """Whatever TOML holds elsewhere in the file is none of our business."""
    text = '''[build-system]
requires = ["setuptools>=61", 'wheel']
[project]
name = "x"
dependencies = [
  "a>=1", # comment ] with bracket
  "b[extra]; python_version < '3.12'",
]
description = """
[tool.ungil]
nonsense = 1
"""
dates = 1979-05-27T07:32:00Z
inline = { a = 1, b.c = "x" }
"quoted key" = 0x1F
[[tool.mypy.overrides]]
module = ["a.*"]
[tool.ungil]
ignore = [
    "UG104", # not now
]
[tool.zzz]
ungil = 5
'''
    with project({**PROJECT, "pyproject.toml": text}) as folder:
        c.equal(rules(folder), ["UG101"])


# --- The same output whatever the circumstances -----------------------------------------------------------------------------

def many_files():
    files = {"pkg/__init__.py": ""}
    for i in range(40):
        text = (COUNTER, CACHE, LIST, CLEAN)[i % 4]
        files["pkg/m%02d.py" % i] = text + ("\n\nfrom pkg import m%02d\n" % ((i * 7) % 40))
    return files


def test_jobs(c):
    with project(many_files()) as folder:
        def without_time(result):
            return re.sub(rb'"seconds": ?[0-9.e-]+', b"", result.raw)
        for args in (["check"], ["check", "--format", "json"], ["diff"], ["check", "--dump", "facts"], ["check", "--dump", "races"]):
            one = ungil(*args, "--no-cache", "--jobs", "1", cwd=folder)
            eight = ungil(*args, "--no-cache", "--jobs", "8", cwd=folder)
            c.check(without_time(one) == without_time(eight) and one.code == eight.code, lambda: "--jobs changes the output of %s" % args)


def test_order_of_paths(c):
    with project() as folder:
        one = ungil("check", "--format", "concise", "app/stats.py", "app/store.py", cwd=folder)
        two = ungil("check", "--format", "concise", "app/store.py", "app/stats.py", cwd=folder)
        c.equal(one.raw, two.raw)


def test_cache(c):
    with project() as folder:
        first = ungil("check", "--format", "concise", "--cache-dir", "facts", cwd=folder)
        second = ungil("check", "--format", "concise", "--cache-dir", "facts", cwd=folder)
        c.equal(second.raw, first.raw)
        c.equal(ungil("check", "--format", "concise", "--no-cache", cwd=folder).raw, first.raw)


def test_cache_dir_is_a_file(c):
    with project({"a.py": COUNTER}) as folder:
        for name in ("a.py", "a.py/cache"):
            result = ungil("check", "--cache-dir", name, cwd=folder)
            c.code(result, 2)
            c.has(result, "a.py", "Not a directory", stream="err")


def test_dumps(c):
    with project() as folder:
        for stage in ("facts", "places", "races", "plan", "edits"):
            result = ungil("check", "--dump", stage, cwd=folder)
            c.check(result.code in (0, 1) and "hits" in result.out, result)
            c.equal(ungil("check", "--dump=" + stage, cwd=folder).raw, result.raw)
            c.equal(ungil("check", "--dump", stage, "-o", "dump.txt", cwd=folder).raw, b"")
            c.equal(lib.read_file(os.path.join(folder, "dump.txt")), result.raw)
            c.code(ungil("check", "--dump", stage, "--format", "json", cwd=folder), 2)


DUMPED = '''# ungil: file-ignore[UG999] reason
import asyncio
import threading

lock = threading.Lock()
alock = asyncio.Lock()
table = {}  # guarded-by: lock
mode = None
size = 0


def held(key):
    with lock:
        if key not in table:
            table[key] = [1]


def taken():
    lock.acquire()
    table.pop(1, None)  # ungil: ignore[UG104] known
    lock.release()


async def awaited():
    async with alock:
        table.clear()  # noqa: UG104


def called(rw):
    global size
    rw.acquire_write()
    try:
        size += 1
    finally:
        rw.release_write()


class Node:  # ungil: thread-confined
    pass


class Tree:  # ungil: single-threaded
    kinds = (1, "a", True, {1}, lambda: 0)
    other = -size
    same = mode


work = threading.Thread(target=called, args=(Node(),))
work.start()
'''


def test_dump_lines(c):
    """Each word of a dump says what it should: the lines of one file that has a value, section, block and comment of each kind."""
    wanted = {
        "facts": """import threading from level 0 module threading name
class 0 Node line 38
func 3 awaited line 24 parent 0 async
func 5 <lambda> line 43 parent 0 class 1
block 1 class func 0 613-617 in 0
block 4 with func 1 207-256 in 3
block 5 then func 1 240-256 in 4 cond 0
block 10 try func 4 519-528 in 9 cond 1
block 11 finally func 4 550-568 in 9
access 13 48:1 store work func 0 block 0
access 16 14:12 contains table key key func 1 block 4 cond 0 not-in
access 17 15:13 item-store table key key func 1 block 5
access 19 20:5 method table by pop key 1 func 2 block 6
access 24 33:9 aug size func 4 block 10
call 3 48:8 threading.Thread func 0 args 3 target=called args=tuple args[0]=call to work
call 6 20:5 table.pop func 2 args 2 number none
def 2 table = dict func 0 empty
def 3 mode = none func 0 empty
def 4 size = number func 0 empty
def 7 awaited = func 3 func 0
def 9 Node = class 0 func 0
def 11 kinds = tuple func 0
def 12 other = other func 0
def 13 same = path mode func 0
def 14 work = call 3 func 0
def 15 table[…] = list func 1
def 17 return = number func 5 empty
section 0 with lock func 1 197-256
section 1 acquire lock func 2 290-348 no-finally
section 2 async-with alock func 3 406-444
section 3 calls rw.acquire_write func 4 501-550
comment file-ignore 1 covers 1-2 codes UG999 reason reason
comment guarded-by 7 covers 7-7 codes lock reason
comment ignore 20 covers 20-20 codes UG104 reason known
comment noqa 26 covers 26-26 codes UG104 reason
comment thread-confined 38 covers 38-39 codes ALL reason
comment single-threaded 42 covers 42-45 codes ALL reason""",
        "places": """root Thread(target=called) at kinds.py:48
place kinds.table global type dict guard kinds.lock 3/4 evidence module,guarded
  kinds.py:7:1 store not-counted
  kinds.py:15:13 item-store locks kinds.lock
place kinds.size global type number evidence module
  kinds.py:33:9 aug root [Thread(target=called) at kinds.py:48]""",
        "races": """race UG307 kinds.py:26:9 kinds.table error high worse 4831b80039a00843
  table is declared as guarded by kinds.lock and used here without it
  site kinds.py:26:9 method""",
        "plan": """fix 1 acquire-to-with safe findings 1
    delete kinds.py 19:1-20:1 ""
    wrap kinds.py 20:5-20:53 "lock"
fix 3 add-missing-guard safe kinds.table findings 1
  lock kinds.lock existing Lock: the finding names it"""}
    with project({"kinds.py": DUMPED}) as folder:
        for stage, lines in wanted.items():
            result = ungil("check", "--dump", stage, cwd=folder)
            c.lacks(result, "(null)")
            found = {line.rstrip() for line in result.out.split("\n")}
            c.equal([line for line in lines.split("\n") if line not in found], [], result)


def test_guards(c):
    text = COUNTER.replace("hits = 0\n", "hits = 0\nlock = threading.Lock()\n").replace("    hits += 1", "    with lock:\n        hits += 1\n    with lock:\n        hits += 2\n    hits -= 1")
    with project({"stats.py": text}) as folder:
        plain = ungil("guards", cwd=folder)
        c.code(plain, 0)
        c.has(plain, "stats.hits", "stats.lock", "guarded 2 of 3", "stats.py:13:5")
        c.code(ungil("guards", "-o", "out.txt", cwd=folder), 0)
        c.equal(lib.read_file(os.path.join(folder, "out.txt")), plain.raw)
        c.code(ungil("guards", "--format", "json", "-o", "out.json", cwd=folder), 0)
        guards = json.loads(lib.read_file(os.path.join(folder, "out.json")))["guards"]
        c.equal(guards, [{"place": "stats.hits", "kind": "global", "lock": "stats.lock", "declared": False, "guarded": 2,
                          "total": 3,
                          "without": [{"path": "stats.py", "line": 13, "column": 5, "access": "update"}]}])
        for args in (("guards", "--format", "sarif"), ("explain", "UG101", "--format", "json"), ("diff", "--format", "json"), ("fix", "--format", "json")):
            result = ungil(*args, cwd=folder)
            c.code(result, 2)
            c.has(result, args[0], stream="err")


def test_guards_declared(c):
    """What a comment declares stands in the table, however seldom the code does it."""
    text = "import threading\n\nlock = threading.Lock()\nhits = 0  # guarded-by: lock\n\n\ndef f():\n    global hits\n    hits = 1\n"
    with project({"a.py": text}) as folder:
        c.equal(ungil("guards", cwd=folder).out, "a.hits → a.lock, guarded 0 of 1 (declared)\n    without it: a.py:9:5 write\n")
        table = json.loads(ungil("guards", "--format", "json", cwd=folder).raw)["guards"]
        c.equal([(g["declared"], g["guarded"], g["total"]) for g in table], [(True, 0, 1)])


def test_fingerprints(c):
    """They survive lines that move, and tell one place from another."""
    with project() as folder:
        first = {f["rule"]: f["fingerprint"] for f in findings(folder)}
        c.equal(len(set(first.values())), 2)
        write_file(os.path.join(folder, "app/stats.py"), "# a new line\n\n" + COUNTER)
        second = {f["rule"]: f["fingerprint"] for f in findings(folder)}
        c.equal(second, first)


# --- fix --------------------------------------------------------------------------------------------------------------------

def test_fix_keeps_mode(c):
    with project() as folder:
        path = os.path.join(folder, "app/stats.py")
        os.chmod(path, 0o755)
        before = os.stat(path)
        ungil("fix", cwd=folder)
        after = os.stat(path)
        c.equal(oct(stat.S_IMODE(after.st_mode)), oct(0o755))
        c.check(after.st_ino != before.st_ino, "the file was written in place, a crash would leave half of it")
        c.check(b"_lock" in lib.read_file(path), "it was not fixed")
        untouched = os.path.join(folder, "app/util.py")
        c.equal(lib.read_file(untouched).decode(), CLEAN)
        c.equal(sorted(os.listdir(os.path.join(folder, "app"))), ["__init__.py", "stats.py", "store.py", "util.py"], "files left behind")


def test_fix_leaves_rest_alone(c):
    with project() as folder:
        path = os.path.join(folder, "app/util.py")
        os.utime(path, (1_000_000_000, 1_000_000_000))
        before = os.stat(path)
        ungil("fix", cwd=folder)
        after = os.stat(path)
        c.equal((after.st_ino, after.st_mtime), (before.st_ino, before.st_mtime))


def test_fix_symlink(c):
    with project({"real/stats.py": COUNTER}) as folder:
        link = os.path.join(folder, "stats.py")
        os.symlink("real/stats.py", link)
        ungil("fix", "stats.py", cwd=folder)
        c.check(os.path.islink(link), "the link was replaced by a file")
        text = lib.read_file(os.path.join(folder, "real/stats.py")).decode()
        c.check(text == COUNTER or "_lock" in text, text)


def test_fix_read_only(c):
    with project() as folder:
        path = os.path.join(folder, "app/stats.py")
        os.chmod(path, 0o444)
        result = ungil("fix", cwd=folder)
        c.code(result, 2)
        c.has(result, "app/stats.py", stream="err")
        c.equal(lib.read_file(path).decode(), COUNTER, "a read-only file was written")
        c.check(b"setdefault" in lib.read_file(os.path.join(folder, "app/store.py")), "the other file should have been fixed")


def test_fix_one_path(c):
    with project() as folder:
        c.code(ungil("fix", "app/store.py", cwd=folder), 1)
        c.equal(lib.read_file(os.path.join(folder, "app/stats.py")).decode(), COUNTER)
        c.check(b"setdefault" in lib.read_file(os.path.join(folder, "app/store.py")))


def test_fix_says_what_it_did(c):
    with project() as folder:
        result = ungil("fix", cwd=folder)
        c.check(re.search(r"fixed \d+ findings? in 2 files", result.out + result.err), result)
        c.equal(ungil("fix", "-q", cwd=folder).raw, b"")


# --- diff -------------------------------------------------------------------------------------------------------------------

def test_diff(c):
    with project(repository=True) as folder:
        before = lib.read_tree(folder)
        patch = ungil("diff", cwd=folder)
        c.code(patch, 1)
        c.has(patch, "--- a/app/stats.py", "+++ b/app/stats.py", "_lock = threading.Lock()")
        c.equal(lib.read_tree(folder), before, "diff writes nothing")
        c.code(lib.execute(["git", "apply", "--check", "-"], cwd=folder, input=patch.raw), 0)
        sub = ungil("diff", ".", cwd=os.path.join(folder, "app"))
        c.code(lib.execute(["git", "apply", "--check", "-"], cwd=folder, input=sub.raw), 0)
        c.equal(sub.raw, patch.raw, "from a sub-directory")
        target = os.path.join(folder, "fixes.patch")
        c.code(ungil("diff", "-o", "fixes.patch", cwd=folder), 1)
        c.equal(lib.read_file(target), patch.raw)


def test_diff_odd_names(c):
    with project({"with space/sta\u00fcts.py": COUNTER, 'qu"ote.py': CACHE}, repository=True) as folder:
        patch = ungil("diff", cwd=folder)
        c.code(patch, 1)
        applied = lib.execute(["git", "apply", "-"], cwd=folder, input=patch.raw)
        c.code(applied, 0)
        c.check(b"_lock" in lib.read_file(os.path.join(folder, "with space/sta\u00fcts.py")))
        c.check(b"setdefault" in lib.read_file(os.path.join(folder, 'qu"ote.py')))


# --- explain, rules, transforms -----------------------------------------------------------------------------------------------

def test_explain(c):
    with project() as folder:
        rule = ungil("explain", "UG101", cwd=folder)
        c.code(rule, 0)
        c.has(rule, "UG101", "unguarded-update")
        c.has(ungil("explain", "unguarded-update", cwd=folder), "UG101")
        line = ungil("explain", "app/stats.py:8", cwd=folder)
        c.check(line.code in (0, 1), line)
        c.has(line, "hits", "UG101")
        silent = ungil("explain", "app/util.py:2", cwd=folder)
        c.check(silent.code in (0, 1) and len(silent.out) > 20, silent)
        c.code(ungil("explain", "app/stats.py:999", cwd=folder), 2)
        c.code(ungil("explain", "app/none.py:1", cwd=folder), 2)


def test_explain_low(c):
    """A finding that is left out for its confidence: what speaks against it."""
    code = "import threading\n\n\ndef start(f):\n    threading.Thread(target=f).start()\n\n\n" \
           "class Undo:\n    index = 0\n\n    def mark(self):\n        self.index += 1\n"
    with temporary() as folder:
        write_tree(folder, {"pyproject.toml": '[project]\nname = "pkg"\nversion = "1"\n', "pkg/__init__.py": code})
        c.has(ungil("explain", "pkg/__init__.py:12", cwd=folder),
              "its confidence is low, below --min-confidence medium, since only hints speak for sharing")


def test_explain_silence(c):
    guarded = COUNTER.replace("hits = 0\n", "hits = 0\nlock = threading.Lock()\n").replace("    hits += 1\n", "    with lock:\n        hits += 1\n")
    with project({"a.py": guarded, "b.py": commented("# ungil: ignore[UG101] fine")}) as folder:
        c.has(ungil("explain", "a.py:10", cwd=folder), "lock")
        c.check(re.search(r"suppress|ignore", ungil("explain", "b.py:8", cwd=folder).out), ungil("explain", "b.py:8", cwd=folder))


def test_root_without_repository(c):
    """The root follows from the PATH; what lies beside it is another matter."""
    files = {"top.py": COUNTER, "app/__init__.py": "", "app/sub/__init__.py": "", "app/sub/stats.py": COUNTER, "loose/a.py": COUNTER, "loose/deep/b.py": COUNTER,
             "made/setup.cfg": "", "made/src/a.py": COUNTER, "app/vendored/pyproject.toml": "", "app/vendored/c.py": COUNTER}
    with project(files) as folder:
        def paths(*args):
            return [f["path"] for f in ungil("check", "--format", "json", *args, cwd=folder).json()["findings"]]

        def lines_read(place):
            result = ungil("explain", place, "--dump", "facts", cwd=folder)
            return sorted(line.split()[1] for line in result.out.split("\n") if line.startswith("file "))

        c.equal(paths("app/sub/stats.py"), ["app/sub/stats.py"])
        c.equal(paths("app/sub"), ["app/sub/stats.py"])
        for where, arg, found in (("app", ".", "sub/stats.py"), ("loose", "../app", "sub/stats.py"), ("app/sub", ".", "app/sub/stats.py")):
            result = ungil("check", "--format", "json", "--isolated", arg, cwd=os.path.join(folder, where)).json()
            c.equal([(f["path"], f["state"]) for f in result["findings"] if "vendored" not in f["path"]], [(found, "app.sub.stats.hits")])
        c.equal(paths("loose"), ["a.py", "deep/b.py"])
        c.equal(paths("loose/a.py"), ["a.py"])
        c.equal(paths("made/src/a.py"), ["src/a.py"])
        c.equal(paths("loose/a.py", "top.py"), ["loose/a.py", "top.py"])
        c.equal(lines_read("top.py:8"), ["top.py"])
        c.equal(lines_read("loose/a.py:8"), ["a.py"])
        c.equal(lines_read("app/sub/stats.py:8"), ["app/__init__.py", "app/sub/__init__.py", "app/sub/stats.py"])
        c.equal(lines_read("made/src/a.py:8"), ["src/a.py"])
        for place in ("app/sub/stats.py:8", "app/sub/stats.py:8:5", os.path.join(folder, "loose/a.py:8")):
            result = ungil("explain", place, cwd=folder)
            c.code(result, 0)
            c.has(result, "UG101")
        for place in ("top.py:8x", "top.py:", "top.py:x", "top.py:-1", "top.py:0", "top.py:999", "top.py:99999999999999999999"):
            result = ungil("explain", place, cwd=folder)
            c.code(result, 2)
            c.has(result, place.rpartition(":")[0], stream="err")


SILENT = '''import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    shown = 1
lock = threading.Lock()
local = threading.local()
done = threading.Event()
total = 0
rows = []
state = {}
limit = 10
ticks = 0
quiet = 0  # ungil: thread-confined
before = 0


class Box:
    def __init__(self):
        self.size = 0

    def grow(self):
        self.size += 1


class Own(threading.Thread):
    def run(self):
        self.steps = 0
        self.steps += 1


async def tick():
    global ticks
    ticks += 1


async def tock():
    global ticks
    ticks -= 1


def work(n, thing):
    global total, quiet
    with lock:
        total += n
    rows.append(n)
    local.n = n
    done.set()
    print(limit)
    quiet += 1
    thing.size += 1
    copy = []
    copy.append(thing)
    exec("total = 0")
    state["n"] += 1  # ungil: ignore[UG101] an estimate
    state["m"] += 1
    return [x for x in rows]


# a comment
def main():
    global before
    before += 1
    threads = [threading.Thread(target=work, args=(n, None)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    before += 1
    Box().grow()
    Own().start()
    Own().start()
    asyncio.run(tick())
    asyncio.run(tock())


if __name__ == "__main__":
    main()
'''


CAPTURED = '''
def count(rows):
    seen = 0

    def step(row):
        nonlocal seen
        seen += len(row)

    for row in rows:
        step(row)
    return seen
'''


def test_explain_captured(c):
    """A captured variable that stays in its call was said to be declared by a comment."""
    with project({"a.py": CAPTURED}) as folder:
        line = CAPTURED.split("\n").index("        seen += len(row)") + 1
        said = ungil("explain", "a.py:%d" % line, cwd=folder)
        c.has(said, "silent: not shared: each call has its own, and no function that uses it outlives the call")
        c.check("declared" not in said.out, said)


def test_explain_why_not(c):
    """Each reason for silence, on a line that has it."""
    with project({"a.py": SILENT}) as folder:
        lines = SILENT.split("\n")
        for text, words, options in (
                ("    shown = 1", "silent: it is for type checkers", ()),
                ("        self.size = 0", "silent: not shared yet: the object is being made", ()),
                ("        self.size += 1", "silent: not shared: no two threads in sight reach it", ()),
                ("        self.steps += 1", "silent: not shared: each of these threads has an object of its own", ()),
                ("    ticks += 1", "silent: ordered by the event loop", ()),
                ("        total += n", "silent: guarded by a.lock at every access", ()),
                ("    with lock:", "takes a.lock until line", ()),
                ("    rows.append(n)", "silent: atomic: append() of a list is one step", ()),
                ("    local.n = n", "silent:", ()),
                ("    done.set()", "no data: what it holds (Event) is made for threads", ()),
                ("    print(limit)", "silent: not changed while threads run: where it is changed, it runs while modules are imported", ()),
                ("    quiet += 1", "silent: declared by a comment", ()),
                ("    thing.size += 1", "silent: not analysed: the type of thing is unknown: it is a parameter", ()),
                ("    copy.append(thing)", "silent: not shared: copy is a local of its function", ()),
                ('    exec("total = 0")', "not analysed: exec or eval", ()),
                ('    state["n"] += 1  # ungil: ignore[UG101] an estimate', "suppressed: UG101, by a comment: an estimate", ()),
                ('    state["m"] += 1', "reported: UG101", ()),
                ('    state["m"] += 1', "not reported: it is not among the rules that are selected", ("--select", "UG2")),
                ('    state["m"] += 1', "not reported: --ignore leaves it out", ("--ignore", "UG101")),
                ("    before += 1", "silent: ", ()),
                ("# a comment", "no code on this line", ()),
                ("def main():", "defines a.main", ()),
                ("import asyncio", "imports; ", ()),
                ("        self.size += 1", "found: UG101", ("--assume-threads", "always", "--min-confidence", "high"))):
            place = "a.py:%d" % (lines.index(text) + 1)
            c.has(ungil("explain", place, *options, cwd=folder), words)
        c.has(ungil("explain", "a.py:%d" % (lines.index("        self.size += 1") + 1), "--assume-threads", "always",
                    "--min-confidence", "high", cwd=folder), "not reported: its confidence is medium, below")
        ungil("baseline", cwd=folder)
        c.has(ungil("explain", "a.py:%d" % (lines.index('    state["m"] += 1') + 1), "--baseline", "ungil-baseline.json",
                    cwd=folder), "known: UG101, listed in the baseline")


def test_explain_any_line(c):
    """No line is without an answer."""
    with project({"a.py": SILENT, "b.py": COUNTER}) as folder:
        for name, text in (("a.py", SILENT), ("b.py", COUNTER)):
            for i in range(len(text.splitlines())):
                result = ungil("explain", "%s:%d" % (name, i + 1), cwd=folder)
                c.check(result.code == 0 and len(result.out.splitlines()) > 1, result)


def test_explain_odd_lines(c):
    """What cannot be asked for says why; a line that starts threads says which."""
    files = {"a.py": COUNTER, "bad.py": b"x = 1\n\xff\n", "broken.py": "def f(:\n  x =\n", "text.txt": "hello\n",
             "one.py": "x = 1", "none_at_all.py": "",
             "out/i.py": "x = 1\n", ".gitignore": "out/\n"}
    with project(files, repository=True) as folder:
        for what, words in (("bad.py:1", "not UTF-8"), ("text.txt:1", "Python file"), ("out:1", "directory"),
                            ("out/i.py:1", "--no-gitignore"), ("none.py:1", "does not exist"), ("a.py:0", "no line 0"),
                            ("a.py:%d" % (COUNTER.count("\n") + 1), "has %d lines; there is no line" % COUNTER.count("\n")),
                            ("one.py:2", "has 1 line; there is no line 2"), ("none_at_all.py:1", "has 0 lines; there is no line 1"),
                            ("a.py:-1", "FILE:LINE"), ("a.py:x", "FILE:LINE"), ("a.py", "FILE:LINE")):
            result = ungil("explain", what, cwd=folder)
            c.code(result, 2)
            c.has(result, words, stream="err")
        broken = ungil("explain", "broken.py:1", cwd=folder)
        c.equal(broken.out.count("not analysed: a syntax error"), 1, broken)
        line = COUNTER.split(".start()")[0].count("\n") + 1
        starts = ungil("explain", "a.py:%d" % line, cwd=folder)
        c.has(starts, "starts Thread(target=hit) at a.py:%d, which may run more than once" % line)
        c.lacks(starts, "not followed")


def test_explain_every_rule(c):
    listed = json.loads(ungil("rules", "--format", "json").raw)
    listed = listed if isinstance(listed, list) else listed["rules"]
    for rule in listed:
        result = ungil("explain", rule["code"])
        c.check(result.code == 0 and rule["name"] in result.out, result)


def test_declared_guard(c):
    """A guarded-by comment that has no effect is said; one that has is not."""
    head = "import threading\nimport base\n\n_lock = threading.Lock()\n"
    base = ("import threading\n\nmodule_lock = threading.Lock()\n\n\nclass Base:\n    class_lock = threading.Lock()\n\n"
            "    def __init__(self):\n        self.own = threading.Lock()\n")
    of_class = "class A(base.Base):\n    def __init__(self):\n        super().__init__()\n        self.n = 0  # guarded-by: %s\n"
    for text, line, words in (("_n = 0  # guarded-by: _lock\n", 0, ""),
                              ("_n = 0  # guarded-by: _lok\n", 5, "_lok"),
                              ("_n = 0  # guarded-by:\n", 5, "names no lock"),
                              ("_n = 0  # guarded-by: base\n", 5, "base"),
                              ("_n = 0  # guarded-by: base.module_lock\n", 0, ""),
                              ("_n = 0  # noqa # guarded-by: base.Base.class_lock (why)\n", 0, ""),
                              ("from base import module_lock\n_n = 0  # guarded-by: module_lock\n", 0, ""),
                              (of_class % "self.own", 0, ""), (of_class % "own", 0, ""), (of_class % "_lock", 0, ""),
                              (of_class % "A.class_lock", 0, ""), (of_class % "cls.class_lock", 0, ""),
                              (of_class % "self._lock", 8, "self._lock"), (of_class % "base.own", 8, "base.own"),
                              ("def f():\n    return 1  # guarded-by: _lock\n", 6, "no definition")):
        with lib.temporary() as folder:
            write_tree(folder, {"a.py": head + text, "base.py": base})
            result = ungil("check", "--format", "json", cwd=folder)
            notes = [n for n in result.json()["notes"] if n["code"] == "guarded-by-unknown"]
            c.equal([n["line"] for n in notes], [line] if line else [], result)
            c.check(all(words in n["message"] for n in notes), result)


def test_rules(c):
    text = ungil("rules")
    c.code(text, 0)
    c.has(text, "UG101", "unguarded-update", "UG503", "UG903")
    listed = json.loads(ungil("rules", "--format", "json").raw)
    listed = listed if isinstance(listed, list) else listed["rules"]
    c.check(len(listed) >= 28 and all(re.fullmatch(r"UG\d{3}", r["code"]) and r["name"] for r in listed), listed)
    c.equal(len(text.out.splitlines()), len(listed))


def test_transforms(c):
    text = ungil("transforms")
    c.code(text, 0)
    c.has(text, "guard-update")
    listed = json.loads(ungil("transforms", "--format", "json").raw)
    listed = listed if isinstance(listed, list) else listed["transforms"]
    c.equal(len(text.out.splitlines()), len(listed))
    c.has(ungil("explain", "guard-update"), "with")


if __name__ == "__main__":
    suite = lib.Suite("cli")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
