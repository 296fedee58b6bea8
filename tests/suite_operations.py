#!/usr/bin/env python3
"""The memory model, operation by operation: a small program for each row of tests/operations/*.txt, in which two threads do the same.

A row is
    == TYPE: OPERATION
    cpython: UG101 UG105        one of these at least is reported and nothing else of 1xx to 4xx; or: silent
    strict: UG202               the same under --model strict, where it is asked
    target: 3.13                --target, where the answer depends on the version
    threads: act once other     what the threads run (default: act, act and, where there is one, other); `once`: no second act
    gap: why                    known: the expectation is not met today. It is an error when it is
followed by the code. What is expected comes from the measurements that docs/memory-model.md tells of.
"""
import glob
import os
import re
import sys

import lib

KEYS = re.compile(r"^(cpython|strict|target|threads|gap): *(.*)$")
RACY = ("UG1", "UG2", "UG3", "UG4")


class Row:
    def __init__(self, title, number):
        self.title, self.code, self.said = title, [], {}
        self.path = "op%03d.py" % number

    def program(self):
        names = self.said.get("threads", "act other" if "def other(" in "\n".join(self.code) else "act").split()
        starts = []
        for name in names:
            if name != "once":
                starts.append(name)
        if "once" not in names:
            starts = starts + starts
        body = "\n".join("threading.Thread(target=%s).start()" % name for name in starts)
        return "import threading\n" + "\n".join(self.code).rstrip() + "\n\n" + body + "\n"

    def options(self, model):
        return ["--model", model] + (["--target", self.said["target"]] if "target" in self.said else [])


def rows():
    found = []
    for path in sorted(glob.glob(os.path.join(lib.TESTS, "operations", "*.txt"))):
        for line in lib.read_file(path).decode().split("\n"):
            key = KEYS.match(line)
            if line.startswith("== "):
                found.append(Row(line[3:], len(found)))
            elif key and found and not found[-1].code:
                found[-1].said[key.group(1)] = key.group(2)
            elif found:
                found[-1].code.append(line)
    return found


def answer(row, model):
    with lib.temporary() as folder:
        lib.write_file(os.path.join(folder, row.path), row.program())
        wrong = lib.compiles(row.program().encode(), row.path)
        if wrong:
            raise ValueError(wrong)
        result = lib.ungil("check", "--jobs", "1", "--no-cache", "--format", "json", "--root", folder, *row.options(model), folder)
        return result, [f for f in result.json()["findings"] if f["rule"].startswith(RACY)]


def judge(suite, row):
    for model in ("cpython", "strict"):
        wanted = row.said.get(model)
        if wanted is None:
            continue
        name = "%s [%s]" % (row.title, model)
        result, findings = answer(row, model)
        wanted = set(wanted.split()) - {"silent"}
        found = {f["rule"] for f in findings}
        right = found <= wanted and bool(found) == bool(wanted)
        text = "%s: found %s, expected %s\n%s\n%s" % (
            name, sorted(found) or "nothing", sorted(wanted) or "nothing", row.program(),
            "\n".join("%d: %s %s" % (f["line"], f["rule"], f["message"]) for f in findings))
        if "gap" in row.said and model == "cpython":
            if right:
                suite.fail(name, "the known gap is closed: take its line `gap:` out")
            else:
                suite.ok(name)
        elif right and result.code in (0, 1):
            suite.ok(name)
        else:
            suite.fail(name, text)


if __name__ == "__main__":
    suite = lib.Suite("operations")
    lib.each(lambda row: judge(suite, row), [r for r in rows() if suite.wanted(r.title)])
    sys.exit(suite.end())
