#!/usr/bin/env python3
"""Measures recall and precision per rule over the labelled programs in tests/accuracy/, and writes docs/accuracy.md.

Every file is a small program, analysed alone at default settings (or with the options on its first line). Its marks are the
truth: `#! UG101` is a race that must be found on this line, `# ok` a line that looks like one and is none. A finding counts
where its own line, or the line of one of its witnesses, is marked with its rule; anything else that is reported is a false
alarm, whichever line it is on. Files named ugNNN_ok_... are right as they are.

  tests/accuracy.py [-n] [PATTERN]      -n or a pattern: print only, write nothing
"""
import datetime
import os
import sys

import lib

PROGRAMS = os.path.join(lib.TESTS, "accuracy")
PAGE = os.path.join(lib.TOP, "docs", "accuracy.md")
READINGS = os.path.join(lib.TESTS, "readings.md")  # by hand: what people who read findings in real code said


class Score:
    def __init__(self):
        self.racy = self.safe = self.hits = self.misses = self.alarms = 0

    def recall(self):
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None

    def precision(self):
        return self.hits / (self.hits + self.alarms) if self.hits + self.alarms else None


def examine(name):
    text, marks = lib.take_marks(name, lib.read_file(os.path.join(PROGRAMS, name)))
    with lib.temporary() as folder:
        lib.write_file(os.path.join(folder, name), text)
        result = lib.ungil("check", "--format", "json", "--no-cache", *lib.first_line_options(text), cwd=folder)
        try:
            findings = [f for f in result.json()["findings"] if not f.get("suppressed")]
        except ValueError:
            findings = None
    truth = {(m.line, m.rule) for m in marks if m.kind in ("!", "-")}
    return name, text.decode(), truth, findings, str(result)


def lines_of(finding):
    return {finding["line"]} | {s["line"] for s in finding["sites"] if s["path"] == finding["path"]}


def judge(name, text, truth, findings):
    """(truths that were found, [(line, rule, remark)] missed, [(line, rule, remark)] false)."""
    rows = text.split("\n")
    hit, alarms = set(), []
    for f in findings:
        matched = {(line, rule) for line, rule in truth if rule == f["rule"] and line in lines_of(f)}
        hit |= matched
        if not matched:
            alarms.append((f["line"], f["rule"], rows[f["line"] - 1].strip(), f["confidence"]))
    misses = []
    for line, rule in sorted(truth - hit):
        instead = sorted({f["rule"] for f in findings if line in lines_of(f)})
        misses.append((line, rule, rows[line - 1].strip(), "reported as " + ", ".join(instead) if instead else ""))
    return hit, misses, alarms


def percent(x):
    return "-" if x is None else "%d %%" % round(100 * x)


def main():
    args = [a for a in sys.argv[1:] if a != "-n"]
    pattern = args[0] if args else os.environ.get("T", "")
    names = sorted(n for n in os.listdir(PROGRAMS) if n.endswith(".py") and pattern in n)
    scores, misses, alarms, broken = {}, [], [], []
    for name, text, truth, findings, output in lib.each(examine, names):
        own = "UG" + name[2:5]
        score = scores.setdefault(own, Score())
        if "_ok_" in name or name.endswith("_ok.py"):
            score.safe += 1
        else:
            score.racy += 1
        if findings is None:
            broken.append((name, output))
            findings = []
        hit, missed, false = judge(name, text, truth, findings)
        for line, rule in hit:
            scores.setdefault(rule, Score()).hits += 1
        for line, rule, row, remark in missed:
            scores.setdefault(rule, Score()).misses += 1
            misses.append("`%s:%d` %s%s: `%s`" % (name, line, rule, " (%s)" % remark if remark else "", row))
        for line, rule, row, confidence in false:
            scores.setdefault(rule, Score()).alarms += 1
            alarms.append("`%s:%d` %s, %s confidence: `%s`" % (name, line, rule, confidence, row))
    total = Score()
    for s in scores.values():
        for key, value in vars(s).items():
            setattr(total, key, getattr(total, key) + value)
    table = ["| rule | programs with a race | look-alikes that are right | found | missed | false alarms | recall | precision |", "|---|---|---|---|---|---|---|---|"]
    for rule, s in sorted(scores.items()) + [("all", total)]:
        table.append("| %s | %d | %d | %d | %d | %d | %s | %s |" % (rule, s.racy, s.safe, s.hits, s.misses, s.alarms, percent(s.recall()), percent(s.precision())))
    print("\n".join(table))
    for title, rows in (("missed", misses), ("false alarms", alarms), ("no result", ["%s\n%s" % b for b in broken])):
        print("\n%s: %d" % (title, len(rows)))
        print("\n".join("  " + row.replace("`", "") for row in rows))
    if "-n" not in sys.argv and not pattern:
        version = lib.ungil("--version").out.strip()
        page = ["# Accuracy", "", "How many of the races in %d small programs of ours are found, and how often something is reported that is none." % len(names),
                "The programs are in tests/accuracy/, with the truth marked in them; half of them look racy and are right. They were written",
                "by the people who write the analysis, so real code will be harder. Read the numbers as a check on each rule, not as a promise.", "",
                "Made by `make accuracy` on %s with %s, default settings." % (datetime.date.today().isoformat(), version), "", *table, "",
                "## Missed (%d)" % len(misses), "", *("- " + row for row in misses or ["nothing"]), "",
                "## False alarms (%d)" % len(alarms), "", *("- " + row for row in alarms or ["nothing"])]
        if broken:
            page += ["", "## No result (%d)" % len(broken), "", *("- " + name for name, _ in broken)]
        page += ["", lib.read_file(READINGS).decode().rstrip("\n")]
        lib.write_file(PAGE, "\n".join(page) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
