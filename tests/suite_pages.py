#!/usr/bin/env python3
"""Runs the examples on the transforms' pages (transforms/*.md): the program tests its own pages with `ungil transforms --test`."""
import re
import sys

import lib


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
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
