#!/usr/bin/env python3
"""make docs: the parts of the documentation that the program writes.

  docs/rules.md        what stands between the two "made by make docs" comments: the tables of rules, from `ungil rules`
  docs/transforms.md   the tables of transforms and of judgements, from `ungil transforms` and src/fixes/judge.c
  README.md            what stands after each `$ command` of a block ```console: the output, run on a copy of fixtures/demo

Everything outside of these parts is written by hand. tests/suite_docs.py fails when a part is not what would be written now.
"""
import json
import os
import re
import shutil
import sys

import lib

GROUPS = (("UG1", "Shared state without the right lock"), ("UG2", "Containers"), ("UG3", "Lock discipline"),
          ("UG4", "Threads and settings of the process"), ("UG5", "Dependencies and build"), ("UG6", "Advice on scaling"),
          ("UG9", "Housekeeping"))
PART = re.compile(r"(<!-- made by make docs -->\n).*?(<!-- end of what make docs made -->\n)", re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.S | re.M)


def listed(command):
    return json.loads(lib.ungil(command, "--format", "json").raw)


def rules_part():
    transforms = listed("transforms")
    out = []
    for prefix, title in GROUPS:
        out += ["## %s" % title, "", "| rule | name | severity | what is wrong | fixed by |", "|---|---|---|---|---|"]
        for rule in listed("rules"):
            code = rule["code"]
            if not code.startswith(prefix):
                continue
            link = "[%s](rules/%s.md)" % (code, code)
            by = ", ".join("[%s](../transforms/%s.md)" % (t["id"], t["id"]) for t in transforms
                           if code in t["rules"].replace(" ", "").split(","))
            out.append("| %s | %s | %s | %s | %s |" % (link, rule["name"], rule["severity"], rule["summary"], by))
        out.append("")
    return "\n".join(out)


def judgements():
    """(name, line) of each row of judgement_table."""
    text = lib.read_file(os.path.join(lib.TOP, "src", "fixes", "judge.c")).decode()
    table = re.search(r"judgement_table\[\] = \{(.*?)\n\};", text, re.S).group(1)
    rows = re.findall(r'\{"([^"]+)",\s*((?:"[^"]*"\s*)+),', table)
    return [(name, "".join(re.findall(r'"([^"]*)"', line))) for name, line in rows]


def transforms_part():
    out = ["| transform | rules | safety | what it does |", "|---|---|---|---|"]
    for t in listed("transforms"):
        rules = ", ".join("[%s](rules/%s.md)" % (code, code) for code in t["rules"].replace(" ", "").split(","))
        out.append("| [%s](../transforms/%s.md) | %s | %s | %s |" % (t["id"], t["id"], rules, t["safety"], t["title"]))
    out += ["", "What `needs:` may ask for:", "", "| judgement | holds when |", "|---|---|"]
    out += ["| `%s` | %s |" % row for row in judgements()]
    return "\n".join(out) + "\n"


def transcript(block, folder):
    """The block with what its commands print now. Only `ungil` commands are run; status 1 says that there are findings."""
    out = []
    for command in re.findall(r"^\$ (.*)$", block, re.M):
        words = command.split()
        if words[0] != "ungil":
            raise SystemExit("docs: only ungil can be run in a transcript: $ %s" % command)
        result = lib.ungil(*words[1:], cwd=folder)
        if result.code == 2 or result.crashed:
            raise SystemExit("docs: %s" % result)
        out += ["$ " + command, result.out.rstrip("\n")]
    return "\n".join(out) + "\n"


def made(path, text):
    """The text of the page with its generated parts made anew."""
    if path == "README.md":
        with lib.temporary() as folder:
            demo = os.path.join(folder, "demo")
            shutil.copytree(os.path.join(lib.FIXTURES, "demo"), demo)
            return CONSOLE.sub(lambda m: "```console\n" + transcript(m.group(1), demo) + "```", text)
    part = rules_part() if path == "docs/rules.md" else transforms_part()
    return PART.sub(lambda m: m.group(1) + "\n" + part.rstrip("\n") + "\n\n" + m.group(2), text)


PAGES = ("README.md", "docs/rules.md", "docs/transforms.md")


def main():
    for path in PAGES:
        file = os.path.join(lib.TOP, path)
        before = lib.read_file(file).decode()
        after = made(path, before)
        if after != before:
            lib.write_file(file, after)
            print("docs: %s written" % path)


if __name__ == "__main__":
    sys.exit(main())
