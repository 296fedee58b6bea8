#!/usr/bin/env python3
"""Every output format against somebody else's idea of it: the OASIS schema and Microsoft's validator for SARIF, reviewdog and its
schema for rdjson, Jenkins' schema for JUnit, GitLab's list of fields, GitHub's rules for commands; and the column unit of each.

The validators come from tests/validators.sh; what is not there is skipped. Everything else needs only the standard library.
"""
import html.parser
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import lib
from lib import git, temporary, ungil, write_file, write_tree
from samples import CACHE, CLEAN, COUNTER
from suite_commit import BOTH

try:
    TOOLS = subprocess.run([os.path.join(lib.TESTS, "validators.sh")], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
except subprocess.CalledProcessError:
    TOOLS = "/nonexistent"
PYTHON = os.path.join(TOOLS, "python/bin/python")

# One finding whose column differs by unit: before it stand a character of two bytes, one of four (two UTF-16 units) and a tab.
UNITS = COUNTER.replace("    hits += 1", "    '\u00e9\U00010437\t'; hits += 1")
ADVICE = COUNTER.replace("hits += 1", "rows.append(1)").replace("hits = 0", "rows = []").replace("global hits", "pass")
PROJECT = {
    "app/__init__.py": "", "app/both.py": BOTH, "app/store.py": CACHE, "app/util.py": CLEAN,
    "app/units.py": UNITS,
    "app/\u00fc #%?|`.py": '"""\U00010437"""\n' + COUNTER,
    "app/crlf.py": COUNTER.replace("\n", "\r\n"),
    "app/bom.py": "\ufeff" + COUNTER.replace("import threading\n", "import threading; x = 1\n"),
    "app/kept.py": COUNTER.replace("hits += 1", "hits += 1  # ungil: ignore[UG101] counts <only> & roughly | \"so\""),
    "app/broken.py": "def f(:\n    x = = 2\n",
    "app/latin.py": b"# caf\xe9\n",
}


class Project:
    """The project in a repository, and the output of each format, made once."""

    def __init__(self, folder, files=None, sub=""):
        self.folder, self.cwd = folder, os.path.join(folder, sub)
        write_tree(folder, files or PROJECT)
        lib.git_start(folder)
        self.outputs = {}

    def run(self, format, *options, **more):
        key = (format,) + options
        if key not in self.outputs:
            self.outputs[key] = ungil("check", "--format", format, "--jobs", "1", *options, cwd=self.cwd, **more)
        return self.outputs[key]

    def findings(self):
        return self.run("json").json()["findings"]

    def text(self, path):
        return lib.read_file(os.path.join(self.folder, path))


def with_project(test):
    def run(c):
        with temporary() as folder:
            test(c, Project(folder))
    return run


def schema_errors(schema, value, kind):
    """What jsonschema or lxml say, run by the validators' own Python."""
    program = {"json": """
import json, sys, jsonschema
schema, value = json.load(open(sys.argv[1])), json.load(sys.stdin)
for e in jsonschema.Draft4Validator(schema).iter_errors(value):
    print("/".join(map(str, e.path)), e.message[:300])
""", "xml": """
import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
schema.validate(etree.parse(sys.stdin.buffer)) or print(schema.error_log)
"""}[kind]
    done = lib.execute([PYTHON, "-c", program, schema], input=value, timeout=60)
    return done.out + done.err


# --- SARIF -------------------------------------------------------------------------------------------------------------------

SARIF_SCHEMA = os.path.join(TOOLS, "npm/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json")
MULTITOOL = os.path.join(TOOLS, "npm/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool")


@with_project
def test_sarif_schema(c, p):
    if not (os.path.exists(PYTHON) and os.path.exists(SARIF_SCHEMA)):
        return c.skip("no schema of SARIF (tests/validators.sh --build)")
    for options in ((), ("--min-confidence", "low", "--select", "ALL"), ("--model", "strict", "--unsafe-fixes")):
        c.equal(schema_errors(SARIF_SCHEMA, p.run("sarif", *options).raw, "json"), "")
    broken = p.run("sarif").json()
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    c.check(schema_errors(SARIF_SCHEMA, json.dumps(broken).encode(), "json") != "", "the check finds nothing wrong with line 0")


def multitool(data):
    with temporary() as folder:
        path = os.path.join(folder, "a.sarif")
        write_file(path, data)
        env = lib.environment(DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1", DOTNET_BUNDLE_EXTRACT_BASE_DIR=folder)
        return lib.execute([MULTITOOL, "validate", path, "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note"], env=env, timeout=120)


@with_project
def test_sarif_multitool(c, p):
    if not os.path.exists(MULTITOOL):
        return c.skip("Microsoft's validator is not there (tests/validators.sh --build)")
    done = multitool(p.run("sarif").raw)
    c.has(done, "Analysis completed successfully")
    complaints = re.findall(r": (error|warning) (\w+): (.*)", done.out)
    # There is no web page about the program to name.
    c.equal([x for x in complaints if x[1] != "SARIF2005"], [])
    broken = p.run("sarif").json()
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["endColumn"] = 1
    c.has(multitool(json.dumps(broken).encode()), "SARIF1007")


def sarif_apply(p, fix):
    """The texts after a fix, by the rules of the standard: regions count code points of the unmodified file."""
    after = {}
    for change in fix["artifactChanges"]:
        path = unquote(change["artifactLocation"]["uri"])
        lines = p.text(path).decode("utf-8-sig").split("\n")
        starts = [sum(len(x) + 1 for x in lines[:i]) for i in range(len(lines) + 1)]
        text, out, at = "\n".join(lines), "", 0
        for r in change["replacements"]:
            region = r["deletedRegion"]
            start, end = (starts[region[a + "Line"] - 1] + region[a + "Column"] - 1 for a in ("start", "end"))
            assert start >= at, "replacements out of order"
            out += text[at:start] + r["insertedContent"]["text"]
            at = end
        after[path] = out + text[at:]
    return after


def unquote(uri):
    import urllib.parse
    assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri), uri
    return urllib.parse.unquote(uri)


@with_project
def test_sarif_contents(c, p):
    run = p.run("sarif").json()["runs"][0]
    found = p.findings()
    results = run["results"]
    c.equal(run["columnKind"], "unicodeCodePoints")
    c.equal(len(results), len(found))
    c.equal([n["descriptor"]["id"] for n in run["invocations"][0]["toolExecutionNotifications"] if "locations" in n],
            [n["code"] for n in p.run("json").json()["notes"]])
    for rule in run["tool"]["driver"]["rules"]:
        c.check(0 < len(rule["shortDescription"]["text"]) <= 1024 and 0 < len(rule["fullDescription"]["text"]) <= 1024, rule)
        c.check(rule["help"]["text"] and len(rule["properties"]["tags"]) <= 10, rule)
    fixed = 0
    for f, r in zip(found, results):
        where = r["locations"][0]["physicalLocation"]
        region = where["region"]
        c.equal((unquote(where["artifactLocation"]["uri"]), region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]),
                (f["path"], f["line"], f["column"], f["end_line"], f["end_column"]))
        c.equal((r["ruleId"], run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"]), (f["rule"], f["rule"]))
        c.equal(r["partialFingerprints"]["ungilFinding/v1"], f["fingerprint"])
        if f["suppressed"]:
            c.equal(r["suppressions"], [{"kind": "inSource", "justification": "counts <only> & roughly | \"so\""}])
        flows = r["codeFlows"][0]["threadFlows"]
        sites = [t["locations"][0]["location"]["physicalLocation"]["region"] for t in flows]
        c.equal([(s["startLine"], s["startColumn"]) for s in sites], [(s["line"], s["column"]) for s in f["sites"][:2]])
        c.check(all(t["message"]["text"].startswith("Run by ") for t in flows) and len({t["id"] for t in flows}) == 2, flows)
        for fix in r.get("fixes", []):
            fixed += 1
            for path, text in sarif_apply(p, fix).items():
                c.check(not lib.compiles(text.encode(), path) and ("_lock" in text or "setdefault" in text), path)
                with temporary() as folder:  # the fix is complete: alone it takes the finding away
                    write_tree(folder, {**{f["path"]: p.text(f["path"])}, path: text})
                    left = ungil("check", "--format", "json", "--root", folder, folder).json()["findings"]
                    c.check(f["fingerprint"] not in [x["fingerprint"] for x in left], left)
    c.check(fixed >= 6, "only %d fixes" % fixed)


def github_hashes(text):
    """primaryLocationLineHash of each line, written from the description of GitHub's algorithm, as a rolling hash."""
    units = []
    for c in text:
        units += [ord(c)] if ord(c) < 0x10000 else [0xD800 + (ord(c) - 0x10000 >> 10), 0xDC00 + (ord(c) - 0x10000 & 0x3FF)]
    window, index, h, first = [0] * 100, 0, 0, pow(37, 100, 2 ** 64)
    numbers, line, start, after_cr, seen, out = [-1] * 100, 0, True, False, {}, {}

    def flush():
        value = "%x" % h
        seen[value] = seen.get(value, 0) + 1
        out[numbers[index]] = "%s:%d" % (value, seen[value])
        numbers[index] = -1

    def push(unit):
        nonlocal h, index
        h = (37 * h + unit - first * window[index]) % 2 ** 64
        window[index] = unit
        index = (index + 1) % 100
    for unit in units + [65535]:
        if unit in (32, 9) or (after_cr and unit == 10):
            after_cr = False
            continue
        after_cr = unit == 13
        unit = 10 if unit == 13 else unit
        if numbers[index] != -1:
            flush()
        if start:
            line += 1
            numbers[index] = line
        start = unit == 10
        push(unit)
    for _ in range(100):
        if numbers[index] != -1:
            flush()
        push(0)
    return out


def test_line_hashes(c):
    c.equal(github_hashes("")[1], "c129715d7a2bc9a3:1")
    c.equal(github_hashes("Lorem ipsum dolor sit amet.\n" * 10)[1], "a7f2ff13bc495cf2:1")
    with temporary() as folder:
        p = Project(folder)
        n = 0
        for r in p.run("sarif").json()["runs"][0]["results"]:
            where = r["locations"][0]["physicalLocation"]
            text = p.text(unquote(where["artifactLocation"]["uri"])).decode()
            n += c.equal(r["partialFingerprints"]["primaryLocationLineHash"], github_hashes(text)[where["region"]["startLine"]], where)
        c.check(n >= 7, n)
    with temporary() as folder:
        text = "\ufeff" + "import threading\nn = 0\ndef f():\n\tglobal n\n\tn += 1\nthreading.Thread(target=f).start()\nthreading.Thread(target=f).start()\n"
        p = Project(folder, {"a.py": text})
        r, = p.run("sarif").json()["runs"][0]["results"]
        c.equal(r["partialFingerprints"]["primaryLocationLineHash"], github_hashes(text)[5])


# --- columns -----------------------------------------------------------------------------------------------------------------

@with_project
def test_column_units(c, p):
    """Code points for json, sarif, gitlab and text; bytes for rdjson. Code units of UTF-16 appear in no format."""
    line = [x for x in UNITS.split("\n") if "hits +=" in x][0]
    at = line.index("hits")
    points, size = at + 1, len(line[:at].encode()) + 1
    c.check(points != size and len(line[:at].encode("utf-16-le")) // 2 + 1 not in (points, size), "the units must differ")
    row = UNITS.split("\n").index(line) + 1
    f = [x for x in p.findings() if x["path"] == "app/units.py"][0]
    c.equal((f["line"], f["column"], f["end_column"]), (row, points, points + 4))
    s = [r["locations"][0]["physicalLocation"] for r in p.run("sarif").json()["runs"][0]["results"]]
    s = [x["region"] for x in s if x["artifactLocation"]["uri"] == "app/units.py"][0]
    c.equal((s["startColumn"], s["endColumn"]), (points, points + 4))
    r = [x["location"] for x in p.run("rdjson").json()["diagnostics"] if x["location"]["path"] == "app/units.py"][0]["range"]
    c.equal((r["start"], r["end"]), ({"line": row, "column": size}, {"line": row, "column": size + 4}))
    g = [x["location"] for x in p.run("gitlab").json() if x["location"]["path"] == "app/units.py"][0]["positions"]
    c.equal((g["begin"], g["end"]), ({"line": row, "column": points}, {"line": row, "column": points + 4}))
    c.has(p.run("concise"), "app/units.py:%d:%d: " % (row, points))
    c.has(p.run("github"), "file=app/units.py,line=%d,endLine=%d,col=%d,endColumn=%d," % (row, row, points, points + 4))
    c.has(p.run("junit"), "app/units.py:%d:%d: " % (row, points))


# --- rdjson ------------------------------------------------------------------------------------------------------------------

@with_project
def test_rdjson_schema(c, p):
    schema = os.path.join(TOOLS, "rdjson.json")
    if not (os.path.exists(PYTHON) and os.path.exists(schema)):
        return c.skip("no schema of rdjson (tests/validators.sh --build)")
    c.equal(schema_errors(schema, p.run("rdjson").raw, "json"), "")
    c.check(schema_errors(schema, b'{"diagnostics": [{"message": 1}]}', "json") != "", "the check finds nothing wrong")


@with_project
def test_reviewdog(c, p):
    """reviewdog itself reads both formats, and sees the same findings in the lines that a diff adds."""
    program = os.path.join(TOOLS, "reviewdog")
    if not os.path.exists(program):
        return c.skip("no reviewdog (tests/validators.sh --build)")
    write_file(os.path.join(p.folder, "app/fresh.py"), COUNTER)
    git("add", "-A", cwd=p.folder)
    args = ["-reporter=rdjson", "-diff=git diff --cached", "-filter-mode=added"]
    for format, where in (("rdjson", "rdjson"), ("sarif", "sarif")):
        done = lib.execute([program, "-f=" + format] + args, cwd=p.folder, input=ungil("check", "--format", where, cwd=p.folder).raw)
        found = [d for d in done.json()["diagnostics"]]
        c.equal([(d["location"]["path"], d["location"]["range"]["start"]["line"]) for d in found], [("app/fresh.py", 8)], done)
        c.check(found and found[0].get("suggestions"), done)
    local = lib.execute([program, "-f=rdjson", "-reporter=local", "-filter-mode=nofilter"], cwd=p.folder, input=p.run("rdjson").raw)
    c.check(re.search(r'path:"app/both.py"\s+range:{start:{line:8\s', local.out), local)


@with_project
def test_rdjson_suggestions(c, p):
    """A suggestion replaces whole lines, and with it the finding is gone and the file compiles."""
    n = 0
    for d in p.run("rdjson").json()["diagnostics"]:
        for s in d["suggestions"]:
            n += 1
            path, first, last = d["location"]["path"], s["range"]["start"]["line"], s["range"]["end"]["line"]
            c.check("column" not in s["range"]["start"] and last - first < 60, s)
            newline = "\r\n" if b"\r\n" in p.text(path) else "\n"
            lines = p.text(path).decode("utf-8-sig").split(newline)
            new = newline.join(lines[:first - 1] + [s["text"]] + lines[last:])
            c.check(not lib.compiles(new.encode(), path), new)
            c.check(newline == "\n" or new.count("\n") == new.count("\r\n"), new)
            with temporary() as folder:
                write_file(os.path.join(folder, "a.py"), new)
                rules = [f["rule"] for f in ungil("check", "--format", "json", folder).json()["findings"]]
                before = [x["code"]["value"] for x in p.run("rdjson").json()["diagnostics"] if x["location"]["path"] == path]
                before.remove(d["code"]["value"])
                c.equal(rules, before, new)
    c.check(n >= 6, "only %d suggestions" % n)


# --- GitLab, GitHub -----------------------------------------------------------------------------------------------------------

@with_project
def test_gitlab(c, p):
    issues = p.run("gitlab").json()
    c.check(not p.run("gitlab").raw.startswith(b"\xef\xbb\xbf") and isinstance(issues, list), issues)
    c.equal(len(issues), len([f for f in p.findings() if not f["suppressed"]]))
    for i in issues:
        c.check(i["severity"] in ("info", "minor", "major", "critical", "blocker"), i)
        c.check(i["description"].startswith(i["check_name"] + ": "), i)
        c.check(os.path.exists(os.path.join(p.folder, i["location"]["path"])) and not i["location"]["path"].startswith("./"), i)
        c.check(i["location"]["positions"]["begin"]["line"] >= 1, i)
    c.equal(len({i["fingerprint"] for i in issues}), len(issues), "fingerprints must be unique")
    twice = COUNTER.replace("    hits += 1", "    hits += 1\n    hits += 1\n    hits += 1")
    with temporary() as folder:
        issues = Project(folder, {"a.py": twice}).run("gitlab").json()
        c.equal(len({i["fingerprint"] for i in issues}), len(issues))


COMMAND = re.compile(r"::(error|warning|notice) file=([^,:]*),line=(\d+),endLine=(\d+)(?:,col=(\d+),endColumn=(\d+))?,title=([^,:]*)::([^\r\n]*)")


@with_project
def test_github(c, p):
    lines = p.run("github").out.splitlines()
    ranks = []
    for line in lines:
        m = COMMAND.fullmatch(line)
        if c.check(m, line):
            ranks.append(("error", "warning", "notice").index(m.group(1)))
            path = re.sub("%(25|0D|0A|3A|2C)", lambda x: chr(int(x.group(1), 16)), m.group(2))
            c.check(os.path.exists(os.path.join(p.folder, path)), path)
            c.check(bool(m.group(5)) == (m.group(3) == m.group(4)), "columns only within one line: " + line)
    c.equal(ranks, sorted(ranks), "the gravest first")
    c.equal(len(lines), len([f for f in p.findings() if not f["suppressed"]]))


@with_project
def test_paths_from_the_top(c, p):
    """Formats for services name files from the top of the repository, whatever the root."""
    sub = Project.__new__(Project)
    sub.folder, sub.cwd, sub.outputs = p.folder, os.path.join(p.folder, "app"), {}
    for format, name in (("github", "file=app/both.py"), ("gitlab", '"app/both.py"'), ("rdjson", '"app/both.py"'), ("sarif", '"app/both.py"'),
                         ("junit", '"app/both.py"')):
        c.has(sub.run(format, "--root", "."), name)


# --- JUnit, Markdown ------------------------------------------------------------------------------------------------------------

@with_project
def test_junit_schema(c, p):
    schema = os.path.join(TOOLS, "junit-10.xsd")
    if not (os.path.exists(PYTHON) and os.path.exists(schema)):
        return c.skip("no schema of JUnit (tests/validators.sh --build)")
    for options in ((), ("--min-confidence", "low", "--select", "ALL", "--model", "strict")):
        c.equal(schema_errors(schema, p.run("junit", *options).raw, "xml"), "")
    c.check(schema_errors(schema, b"<testsuites><testcase/></testsuites>", "xml") != "", "the check finds nothing wrong")


@with_project
def test_junit(c, p):
    root = ElementTree.fromstring(p.run("junit").raw)
    cases = root.findall("testsuite/testcase")
    found = p.findings()
    c.equal(int(root.get("tests")), len(cases))
    c.equal(int(root.get("failures")), len(root.findall("testsuite/testcase/failure")))
    c.equal(len(root.findall("testsuite/testcase/failure")), len([f for f in found if not f["suppressed"] and f["severity"] != "note"]))
    for suite in root.findall("testsuite"):
        c.equal((int(suite.get("tests")), int(suite.get("failures")), int(suite.get("skipped"))),
                (len(suite.findall("testcase")), len(suite.findall("testcase/failure")), len(suite.findall("testcase/skipped"))))
    c.equal(len(cases), len(found) + len(p.run("json").json()["notes"]) + 1)
    kept = [s.get("message") for s in root.iter("skipped") if s.get("type") == "UG101"]
    c.equal(kept, ['suppressed: counts <only> & roughly | "so"'])
    c.check("\u00fc #%?|`.py" in [s.get("name").rpartition("/")[2] for s in root.findall("testsuite")], "names survive")
    with temporary() as folder:
        clean = ElementTree.fromstring(Project(folder, {"a.py": CLEAN}).run("junit").raw)
        c.equal((clean.get("tests"), clean.get("failures"), len(clean.findall("testsuite/testcase"))), ("1", "0", 1))


@with_project
def test_markdown(c, p):
    text = p.run("markdown").out
    shown = [f for f in p.findings() if not f["suppressed"]]
    rows = [line for line in text.split("\n") if line.startswith("| `")]
    c.equal(len(rows), len(shown))
    for row, f in zip(rows, shown):
        cells = re.split(r"(?<!\\)\|", row)
        c.equal(len(cells), 7, row)
        c.check(f["rule"] in cells[2] and f["confidence"] in cells[3], row)
    c.equal(text.count("<details>"), text.count("</details>"))
    c.equal(text.count("<details><summary>UG"), len(shown))
    c.check("app/latin.py" in text, "what was not analysed")
    with temporary() as folder:
        c.has(Project(folder, {"a.py": CLEAN}).run("markdown"), "nothing to report in 1 file")


def test_step_summary(c):
    with temporary() as folder, temporary() as other:
        p = Project(folder)
        path = os.path.join(other, "summary.md")
        write_file(path, "# before\n")
        env = lib.environment(GITHUB_STEP_SUMMARY=path, GITHUB_SERVER_URL="https://git.example", GITHUB_REPOSITORY="o/r", GITHUB_SHA="abc")
        result = ungil("check", "--format", "github", "--step-summary", cwd=folder, env=env)
        c.code(result, 1)
        c.equal(result.out, p.run("github").out, "the summary goes beside the output, not into it")
        text = lib.read_file(path).decode()
        c.check(text.startswith("# before\n### ungil: ") and text.endswith("\n"), text)
        c.check("](https://git.example/o/r/blob/abc/app/both.py#L8)" in text, text)
        c.check("/app/%C3%BC%20%23%25%3F%7C%60.py#L9)" in text, text)
        ungil("check", "--step-summary", cwd=folder, env=env)
        c.check(lib.read_file(path).decode().count("### ungil: ") == 2, "appended, not replaced")
        unset = ungil("check", "--step-summary", cwd=folder)
        c.code(unset, 2)
        c.has(unset, "GITHUB_STEP_SUMMARY", stream="err")
        bad = ungil("check", "--step-summary", "--exit-zero", cwd=folder, env=lib.environment(GITHUB_STEP_SUMMARY=other))
        c.code(bad, 2)


def test_step_summary_limit(c):
    """GitHub refuses a summary of more than a mebibyte; what does not fit is counted."""
    with temporary() as folder, temporary() as other:
        body = "import threading\n" + "".join("n%d = 0\ndef f%d():\n    global n%d\n    n%d += 1\nthreading.Thread(target=f%d).start()\n" % ((i,) * 5) for i in range(120))
        p = Project(folder, {"m%02d.py" % i: body for i in range(20)})
        path = os.path.join(other, "summary.md")
        write_file(path, "x" * 300000)
        c.code(ungil("check", "--assume-threads", "always", "--step-summary", "-q", cwd=folder, env=lib.environment(GITHUB_STEP_SUMMARY=path), timeout=120), 1)
        size = os.path.getsize(path)
        c.check(900000 < size <= 1 << 20, size)
        page = lib.read_file(path).decode()
        c.check(re.search(r"\d+ more findings do not fit here", page) or page.count("<details><summary>UG") < 2400, "nothing was left out")
        c.equal(page.count("<details>"), page.count("</details>"))


# --- text that is hostile to a format ------------------------------------------------------------------------------------------

def test_hostile_names(c):
    """A file's name that would end a command, a tag or a table cell."""
    for name in ("a::b,c.py", "<b>&'\".py", "x\n::error::y.py", "tab\there.py", "[x](y).py", "%0A.py", "`|`.py", "\u202e.py"):
        with temporary() as folder:
            p = Project(folder, {name: COUNTER})
            c.equal(len([x for x in p.run("github").out.split("\n") if x]), 1, name)
            c.check(COMMAND.fullmatch(p.run("github").out.rstrip("\n")), p.run("github").out)
            root = ElementTree.fromstring(p.run("junit").raw)
            c.equal(root.findall("testsuite")[1].get("name"), name)
            c.equal(p.run("gitlab").json()[0]["location"]["path"], name)
            rows = [x for x in p.run("markdown").out.split("\n") if x.startswith("| ") and "UG101" in x]
            c.equal(len(rows), 1, name)
            c.equal(len(re.split(r"(?<!\\)\|", rows[0])), 7, rows)
            c.equal(unquote(p.run("sarif").json()["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]), name)


if __name__ == "__main__":
    suite = lib.Suite("formats")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
