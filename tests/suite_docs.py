#!/usr/bin/env python3
"""The documentation is true: README.md and docs/ against the program and the files.

  stale      what `make docs` writes is what stands there, the transcript in README.md included
  links      every link leads to a file and a heading that exist, every path in backquotes to a file
  commands   every `ungil ...` and `make ...` that is shown is understood: the command, its options and their values
  rules      a page for each rule that src/races or src/ready reports and for no other; its wrong examples are reported, its right ones are not,
             and `ungil explain` prints it
"""
import glob
import os
import re
import shlex
import sys

import docs
import lib
from lib import TOP, ungil

PAGES = ["README.md", "fixtures/README.md"] + sorted(
    os.path.relpath(p, TOP) for p in glob.glob(os.path.join(TOP, "docs", "**", "*.md"), recursive=True))
OF_DEPENDENCIES = ("UG501", "UG502")  # their examples are requirements files
SECTIONS = ("Why", "Wrong", "Right", "Fix", "When it is wrong to report")


def text_of(path):
    return lib.read_file(os.path.join(TOP, path)).decode()


def test_stale(c):
    for path in docs.PAGES:
        text = text_of(path)
        now = docs.made(path, text)
        c.check(now == text, lambda: "%s is stale: run make docs\n%s" % (
            path, lib.difference(text.encode(), now.encode(), (path, "now"))))
    c.check("```console" in text_of("README.md"), "README.md has no transcript")
    c.check(text_of("docs/accuracy.md").endswith("\n" + text_of("tests/readings.md")),
            "docs/accuracy.md does not end with tests/readings.md: write there, and run make accuracy")


# --- links -------------------------------------------------------------------------------------------------------------------

FENCE = re.compile(r"^```.*?^```$", re.S | re.M)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:src|tests|docs|transforms|fixtures)/[\w./-]*)`")


def anchors(text):
    """GitHub's names for the headings."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


def test_links(c):
    for page in PAGES:
        text = FENCE.sub("", text_of(page))
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            path = os.path.normpath(os.path.join(TOP, os.path.dirname(page), file)) if file else os.path.join(TOP, page)
            if c.check(os.path.exists(path), "%s: the link to %s leads nowhere" % (page, target)) and anchor:
                c.check(anchor in anchors(lib.read_file(path).decode()), "%s: %s has no heading for #%s" % (page, file or page, anchor))
        for path in PATH.findall(text):
            c.check(os.path.exists(os.path.join(TOP, path)), "%s: there is no %s" % (page, path))


# --- commands ------------------------------------------------------------------------------------------------------------------

SHOWN = re.compile(r"^(?:    |)(?:\$ )?((?:build/)?ungil [^\n]*|make [a-z][^\n]*)$|`((?:build/)?ungil [^`\n]+|make [a-z][^`\n]*)`", re.M)


def shown(text):
    """Commands in backquotes, on indented lines, and in transcripts; not those in prose."""
    for whole, quoted in SHOWN.findall(text):
        command = re.split(r"\s(?:#|\||&&|>)\s|;", (whole or quoted) + " ")[0].strip()
        if not re.search(r"\.\.\.$| [a-z]+ (is|are|makes|reads|finds) ", command):
            yield command


def command_wrong(command):
    """What is wrong with a `ungil` command line, or "". --help at its end makes the program parse everything and do nothing."""
    try:
        words = shlex.split(command)[1:]
    except ValueError as e:
        return str(e)
    words = ["UG1" if w == "CODES" else w for w in words]
    # Behind the script of bench everything is the script's.
    result = ungil(*words[:1 if words[0] == "bench" else None], "--help")
    return "" if result.code == 0 else str(result)


def test_commands(c):
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.M))
    found = 0
    for page in PAGES:
        for command in sorted(set(shown(text_of(page)))):
            if command.startswith("make "):
                target = command.split()[1]
                c.check(target in targets, "%s: there is no target %s" % (page, command))
            else:
                wrong = command_wrong(command)
                c.check(not wrong, lambda: "%s shows: %s\n%s" % (page, command, wrong))
            found += 1
    c.check(found > 20, "only %d commands were found" % found)
    c.check(command_wrong("ungil check --slect UG1") and command_wrong("ungil chek"), "wrong commands are not noticed")


# --- rules ---------------------------------------------------------------------------------------------------------------------

def reported_rules():
    """The codes that the program can report: those named in its code outside of case labels and comments."""
    codes = set()
    for file in glob.glob(os.path.join(TOP, "src", "races", "*.c")) + glob.glob(os.path.join(TOP, "src", "ready", "*.c")) + [os.path.join(TOP, "src", "app", "baseline.c")]:
        text = re.sub(r"/\*.*?\*/|\bcase UG\d+:", "", lib.read_file(file).decode(), flags=re.S)
        codes.update(re.findall(r"\bUG\d{3}\b", text))
    return codes


def examples(page, title, language="python"):
    section = re.search(r"^## %s\n(.*?)(?=^## |\Z)" % title, page, re.S | re.M)
    return re.findall(r"^```%s\n(.*?)^```$" % language, section.group(1), re.S | re.M) if section else []


def test_rule_pages(c):
    pages = {os.path.basename(p)[:-3] for p in glob.glob(os.path.join(TOP, "docs", "rules", "*.md"))}
    c.equal(sorted(pages), sorted(reported_rules()), "the pages in docs/rules/ and the rules of src/races and src/ready:")
    names = {r["code"]: r["name"] for r in docs.listed("rules")}
    for code in sorted(pages):
        page = text_of("docs/rules/%s.md" % code)
        c.check(page.startswith("# %s %s\n" % (code, names.get(code))), "%s.md: the heading is not that of the rule" % code)
        c.equal(tuple(re.findall(r"^## (.*)$", page, re.M)), SECTIONS, "sections of %s.md:" % code)
        c.check(ungil("explain", code).out.startswith(page), "ungil explain %s does not print the page" % code)


def test_rule_examples(c):
    def one(job):
        code, title, number, text, baseline = job
        name = "%s, %s example %d" % (code, title.lower(), number)
        command, sample = ("deps", "requirements.txt") if code in OF_DEPENDENCIES else ("check", "sample.py")
        wrong = lib.compiles(text, name) if command == "check" else None
        if not c.check(not wrong, wrong):
            return
        with lib.temporary() as folder:
            lib.write_file(os.path.join(folder, sample), text)
            options = []
            if baseline:
                lib.write_file(os.path.join(folder, "baseline.json"), baseline)
                options = ["--baseline", "baseline.json"]
            result = ungil(command, "--isolated", "--select", code, "--format", "json", *options, ".", cwd=folder)
            found = [f for f in result.json()["findings"] if not f["suppressed"]] if not result.crashed and result.raw else None
        c.check(found is not None and bool(found) == (title == "Wrong"),
                lambda: "%s is %s\n%s" % (name, "reported" if found else "not reported", result))

    jobs = []
    for path in sorted(glob.glob(os.path.join(TOP, "docs", "rules", "*.md"))):
        code, page = os.path.basename(path)[:-3], lib.read_file(path).decode()
        for title in ("Wrong", "Right"):
            texts = examples(page, title, "text" if code in OF_DEPENDENCIES else "python")
            c.check(texts, "%s has no %s example" % (code, title.lower()))
            baselines = examples(page, title, "json") or [None] * len(texts)
            jobs += [(code, title, i + 1, text, baselines[i]) for i, text in enumerate(texts)]
    lib.each(one, jobs)


if __name__ == "__main__":
    suite = lib.Suite("docs")
    suite.run_module(sys.modules[__name__])
    sys.exit(suite.end())
