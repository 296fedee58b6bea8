#!/usr/bin/env python3
"""Applies every safe fix to a copy of much real code and looks at the result with Python's own eyes.

  compiles      each file that compiled before
  certificate   taking the new lock statements away gives the old program back: both syntax trees are compared, statement by
                statement, and may differ only by `with LOCK:` around statements, lock definitions, imports and slots
  settled       a second run changes nothing

Rewrites that replace code (a queue's pop, a dictionary's setdefault) have no such certificate; they are counted.

  tests/fidelity.py [FOLDER ...]      default: the standard library and site-packages of this Python
"""
import ast
import collections
import os
import re
import resource
import shutil
import sys
import sysconfig
import time
import warnings

import lib


def copy_sources(folders, target):
    count = 0
    for i, folder in enumerate(folders):
        for where, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(where, name)
                if name.endswith(".py") and os.path.isfile(path) and not os.path.islink(path):
                    to = os.path.join(target, str(i), os.path.relpath(path, folder))
                    os.makedirs(os.path.dirname(to), exist_ok=True)
                    shutil.copyfile(path, to)
                    count += 1
    return count


# --- The certificate ------------------------------------------------------------------------------------------------------------

BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def lock_name(node):
    while isinstance(node, ast.Call) and not node.args:
        node = node.func
    return isinstance(node, (ast.Name, ast.Attribute))


def is_lock_statement(node):
    """with LOCK: …, with one lock and no `as`."""
    return isinstance(node, ast.With) and len(node.items) == 1 and node.items[0].optional_vars is None and lock_name(node.items[0].context_expr)


def is_declaration(node):
    """X = threading.Lock(), import threading, from threading import Lock."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return getattr(node, "module", None) == "threading" or any(a.name == "threading" for a in node.names)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "register_at_fork" in ast.dump(node.value.func)
    value = getattr(node, "value", None)
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(value, ast.Call) and re.search(r"'R?Lock'", ast.dump(value.func)) is not None


def head(node):
    """The statement without the statements inside it."""
    return [type(node).__name__] + [ast.dump(v) if isinstance(v, ast.AST) else [ast.dump(x) if isinstance(x, ast.AST) else repr(x) for x in v] if isinstance(v, list) else repr(v)
                                    for k, v in ast.iter_fields(node) if k not in BODIES and not is_slots(node)]


def is_slots(node):
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__slots__" for t in node.targets)


def same(before, after):
    """None, or the line (of the text after) from which the two lists of statements differ by more than locks."""
    after, i = list(after), 0
    for old in before:
        while True:
            if i >= len(after):
                return -1
            new = after[i]
            if head(old) == head(new):
                wrong = inside(old, new)
                if wrong is None:
                    i += 1
                    break
                if not is_lock_statement(new):
                    return wrong
            if is_lock_statement(new):
                after[i:i + 1] = new.body
            elif is_declaration(new):
                i += 1
            else:
                return getattr(new, "lineno", -1)
    for new in after[i:]:
        if not is_declaration(new):
            return getattr(new, "lineno", -1)
    return None


def inside(old, new):
    for key in BODIES:
        a, b = getattr(old, key, None), getattr(new, key, None)
        if isinstance(a, list):
            wrong = same(a, b)
            if wrong is not None:
                return wrong
    return None


# --- The run ----------------------------------------------------------------------------------------------------------------

def run(*args, cwd):
    start = time.monotonic()
    result = lib.ungil(*args, "--no-cache", cwd=cwd, timeout=1200)
    return result, time.monotonic() - start


def main():
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20_000)
    folders = sys.argv[1:] or sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")})
    # site-packages often lies inside the library's folder; then it is copied with it.
    folders = [f for f in folders if os.path.isdir(f) and not any(f != g and f.startswith(g + os.sep) for g in folders)]
    failed = 0
    with lib.temporary("ungil-fidelity-") as folder:
        count = copy_sources(folders, folder)
        before = lib.read_tree(folder)
        checked, seconds = run("check", "--format", "json", cwd=folder)
        if checked.crashed:
            print("FAIL fidelity: check\n%s" % checked)
            return 1
        report = checked.json()
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        s = report["summary"]
        print("%d files, %d lines: checked in %.1f s, peak memory %d MiB" % (count, s["lines"], seconds, peak))
        rules = collections.Counter(f["rule"] for f in report["findings"])
        print("%d findings, %d fixable: %s" % (len(report["findings"]), s["fixable"], ", ".join("%s %d" % x for x in sorted(rules.items()))))
        transforms = collections.defaultdict(set)
        for f in report["findings"]:
            if f["fix"] and f["fix"]["safety"] == "safe":
                for e in f["fix"]["edits"]:
                    transforms[e["path"]].add(f["fix"]["transform"])
        fixed, seconds = run("fix", cwd=folder)
        after = lib.read_tree(folder)
        changed = sorted(n for n in after if after[n] != before.get(n))
        print("fixed in %.1f s, exit %s: %d files changed" % (seconds, fixed.code, len(changed)))
        if fixed.crashed:
            print("FAIL fidelity: fix\n%s" % fixed)
            failed += 1
        certified, replaced = 0, 0
        for name in changed:
            if lib.compiles(before[name], name):
                print("FAIL fidelity: %s was changed although it did not compile" % name)
                failed += 1
                continue
            why = lib.compiles(after[name], name)
            if why:
                print("FAIL fidelity: broken: %s\n%s" % (why, lib.difference(before[name], after[name])[:3000]))
                failed += 1
                continue
            wrong = same(ast.parse(before[name]).body, ast.parse(after[name]).body)
            if wrong is None:
                certified += 1
            elif all(t.startswith("guard-") for t in transforms[name] or {"guard-"}):
                print("FAIL fidelity: %s:%d: more than locks changed (%s)\n%s" % (
                    name, wrong, ", ".join(sorted(transforms[name])), lib.difference(before[name], after[name])[:3000]))
                failed += 1
            else:
                replaced += 1
        print("%d hold the certificate, %d were rewritten otherwise" % (certified, replaced))
        again, seconds = run("fix", cwd=folder)
        unsettled = sorted(n for n, d in lib.read_tree(folder).items() if d != after[n])
        for name in unsettled[:20]:
            print("FAIL fidelity: %s changes again\n%s" % (name, lib.difference(after[name], lib.read_file(os.path.join(folder, name)))[:2000]))
        failed += len(unsettled)
    print("fidelity: %d failures" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
