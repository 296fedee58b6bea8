#!/usr/bin/env python3
"""Runs the examples on the transforms' pages (transforms/*.md): the program tests its own pages with `ungil transforms --test`.

The page that docs/writing-transforms.md makes is loaded and tested as its reader would, and each mistake of its table is made.
"""
import os
import re
import sys

import lib

# What to change in the page of docs/writing-transforms.md to get each error of its table.
MISTAKES = [
    (r"^rules: UG102", "rules: UG999"),
    (r"exact-set$", "exact-sets"),
    (r"safety: safe", "safety: sure"),
    (r"replace @whole by .*", 'replace @all by "x"'),
    (r"replace @whole by .*", "swap @whole"),
    (r"drops remove", "loses remove"),
    (r"^certificate: replace.*\n", ""),
    (r"\(if_statement", "(if_statemen"),
]


def tutorial(suite):
    text = lib.read_file(os.path.join(lib.TOP, "docs", "writing-transforms.md")).decode()
    page = re.search(r"^````markdown\n(.*?)^````$", text, re.S | re.M).group(1)
    rows = re.findall(r"^\| .* \| `+(discard\.md:\d+: .*?) ?`+ \|$", text, re.M)
    suite.check("tutorial", len(rows) == len(MISTAKES), lambda: "%d rows in the table of errors: %r" % (len(rows), rows))
    with lib.temporary() as folder:
        path = os.path.join(folder, "pages", "discard.md")
        lib.write_file(path, page.encode())
        found = lib.ungil("transforms", "--transforms", "pages", "--test", cwd=folder)
        suite.check("tutorial", found.code == 0 and len(re.findall(r"^ok .*pages/discard\.md:", found.out, re.M)) == 2, found)
        before = re.search(r"^```python\n(.*?)^```$", page, re.S | re.M).group(1)
        lib.write_file(os.path.join(folder, "app.py"), before.encode())
        diff = lib.ungil("diff", "--no-cache", "--transforms", "pages", "app.py", cwd=folder)
        suite.check("tutorial", "+    active.discard(name)" in diff.out, diff)
        lib.write_file(path, page.replace("adds discard;", "adds nothing-else;").encode())
        diff = lib.ungil("diff", "--no-cache", "--transforms", "pages", "app.py", cwd=folder)
        suite.check("tutorial", not diff.out and "it adds discard, which its page does not say" in diff.err, diff)
        for (pattern, text), wanted in zip(MISTAKES, rows):
            lib.write_file(path, re.sub(pattern, text, page, count=1, flags=re.M).encode())
            found = lib.ungil("transforms", "--transforms", "pages", cwd=folder)
            suite.check("tutorial", found.code == 2 and wanted in found.err, lambda: "expected %s\n%s" % (wanted, found))


def main():
    suite = lib.Suite("pages")
    result = lib.ungil("transforms", "--test", cwd=lib.TOP)
    if result.code == 2 and "--test" in result.err:
        suite.skip("pages", "this program cannot test its pages")
        return suite.end()
    print(result.out, end="")
    print(result.err, end="")
    lines = (result.out + result.err).splitlines()
    # One line per example: "ok PAGE: ..." or "FAIL PAGE: ...".
    for line in lines:
        m = re.match(r"(ok|FAIL|not ok|skip)\b", line)
        if m and suite.wanted(line):
            if m.group(1) == "ok":
                suite.ok()
            elif m.group(1) == "skip":
                suite.skipped += 1
            else:
                suite.failed += 1
    if suite.failed == 0:
        suite.check("pages", result.code == 0, result)
    if suite.wanted("tutorial"):
        tutorial(suite)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
