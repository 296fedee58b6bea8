#!/usr/bin/env python3
"""Count how many findings have a safe fix, and why the others have none.

  tests/fixshare.py CORPUS TREES PROGRAM [--jobs N] [--high] [--list REASON] [--words N]

CORPUS holds races.tsv; TREES one folder per commit, OWNER+NAME@COMMIT with the first 12 digits of the commit (as for
tests/corpus.py). Asked are the trees before the fixes, for findings of the rules UG1xx and UG2xx. A reason is shown without
names and numbers, so that like ones count together. --list prints each finding whose reason holds these words; what several trees
of a repository share is listed once.
"""
import argparse
import collections
import concurrent.futures
import csv
import json
import pathlib
import re
import subprocess

RULES = ("UG1", "UG2")


def racy_trees(corpus):
    with open(pathlib.Path(corpus) / "races.tsv", encoding="utf-8", newline="") as f:
        rows = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        return sorted({r["owner/name"].replace("/", "+") + "@" + r["parent_commit"][:12] for r in rows})


def findings_of(program, folder):
    run = subprocess.run([program, "check", "--format", "json", "--root", folder, folder], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    return [f for f in json.loads(run.stdout)["findings"] if f["rule"].startswith(RULES) and not f.get("suppressed")]


def reason_of(finding):
    """The safety of its fix, and why it is not safe."""
    fix = finding.get("fix")
    if not fix:
        return "none", finding.get("no_fix") or "nothing said"
    return fix.get("safety") or "none", fix.get("reason") or ""


def kind_of(reason, words):
    """The first words of a reason, with names and numbers taken out: 'line # calls *() while the lock is held'."""
    clause = re.split(r"; ", reason)[0]
    clause = re.sub(r"\S+\.pyi?\b:?", "*", clause)
    clause = re.sub(r"\b[\w.\[\]]*(?:[._]\w+|[a-z][A-Z]\w*|\(\))[\w.\[\]]*", "*", clause)
    clause = re.sub(r"\d+", "#", clause)
    return " ".join(clause.split()[:words])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("trees")
    parser.add_argument("program")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--high", action="store_true", help="list findings of high confidence only")
    parser.add_argument("--list", metavar="REASON")
    parser.add_argument("--words", type=int, default=9)
    options = parser.parse_args()
    names = [n for n in racy_trees(options.corpus) if (pathlib.Path(options.trees) / n).is_dir()]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        answers = list(pool.map(lambda n: findings_of(options.program, str(pathlib.Path(options.trees) / n)), names))
    found = [(n, f, *reason_of(f)) for n, answer in zip(names, answers) for f in answer]
    if options.list is not None:
        listing(found, options)
        return
    for confidence in ("high", "medium"):
        some = [x for x in found if x[1]["confidence"] == confidence]
        report(confidence, some, options.words)


def report(confidence, some, words):
    shares = collections.Counter(safety for _, _, safety, _ in some)
    safe = shares["safe"]
    print(f"{confidence}: {safe} of {len(some)} safe, {100 * safe / max(len(some), 1):.0f} %; "
          + ", ".join(f"{n} {s}" for s, n in shares.most_common() if s != "safe"))
    kinds = collections.Counter((safety, kind_of(reason, words)) for _, _, safety, reason in some if safety != "safe")
    for (safety, kind), n in kinds.most_common(60):
        print(f"  {n:5} {safety:7} {kind}")


def listing(found, options):
    seen = set()
    for name, f, safety, reason in found:
        key = name.partition("@")[0], f["path"], f["fingerprint"]
        if safety == "safe" or options.list not in reason or key in seen or options.high and f["confidence"] != "high":
            continue
        seen.add(key)
        print(f'{name}/{f["path"]}:{f["line"]} {f["rule"]} {f["confidence"]} {f["state"]}\n    {safety}: {reason}')


if __name__ == "__main__":
    main()
