#!/usr/bin/env python3
"""`ungil plan`: phases, order, sizes, owners, burn-down. Its commands are run, one after the other, and must do what they say."""
import os
import re
import shlex
import sys

import lib
from lib import git, git_start, temporary, ungil, write_file, write_tree

THREADS = "import threading\n\n\ndef start(*functions):\n    for f in functions:\n        for _ in range(2):\n            threading.Thread(target=f).start()\n"
COUNTER = "%s\n\n\nn = 0\nm = 0\n\n\ndef work():\n    global n\n    n += 1\n\n\ndef more():\n    global m\n    m += 1\n"
# b imports a, c imports b; d and e import each other; main starts all.
TREE = {
    "app/__init__.py": "",
    "app/threads.py": THREADS,
    "app/z_leaf.py": COUNTER % "import os",
    "app/b.py": COUNTER % "from app import z_leaf",
    "app/a_top.py": COUNTER % "import app.b",
    "app/d.py": COUNTER % "from . import e",
    "app/e.py": COUNTER % "import app.d",
    "app/main.py": "from app import a_top, b, d, e, z_leaf\nfrom app.threads import start\nimport threading\n\n"
                   + "".join("threading.Thread(target=%s.%s).start()\n" % (m, f) * 2
                             for m in ("a_top", "b", "d", "e", "z_leaf") for f in ("work", "more")),
}


def plan(folder, *options, **more):
    return ungil("plan", "--isolated", "--no-cache", *options, cwd=folder, **more)


def steps(folder, *options):
    result = plan(folder, "--format", "json", *options)
    if result.code not in (0, 1):
        raise AssertionError(str(result))
    return result.json()


def test_order(s):
    """Leaves of the import graph first, a cycle together, and what only main does last."""
    with temporary() as folder:
        write_tree(folder, TREE)
        git_start(folder)
        o = steps(folder)
        safe = [x for x in o["steps"] if x["phase"] == "safe"]
        s.equal([x["path"] for x in safe], ["app/z_leaf.py", "app/b.py", "app/d.py", "app/e.py", "app/a_top.py"], "order")
        levels = {x["path"]: x["level"] for x in safe}
        s.check(levels["app/d.py"] == levels["app/e.py"] and levels["app/z_leaf.py"] < levels["app/b.py"] < levels["app/a_top.py"],
                lambda: "levels: %s" % levels)
        text = plan(folder).out
        s.equal(len(re.findall("in a cycle of imports of 2 files", text)), 2, "the cycle is named\n" + text)
        s.equal(plan(folder, "--jobs", "2").out, text, "the same text again")
        s.equal(o["summary"]["safe"], o["summary"]["findings"], "all are safe")


def test_commands(s):
    """Every command of the plan does what its step says: these files, these hunks, these lines; then the step is gone."""
    with temporary() as folder:
        write_tree(folder, TREE)
        write_tree(folder, lib.read_tree(os.path.join(lib.FIXTURES, "demo")))
        git_start(folder)
        first = steps(folder)
        todo = [x for x in first["steps"] if x["command"]]
        s.check(len(todo) > 5, lambda: "few steps: %s" % todo)
        for x in todo:
            words = shlex.split(x["command"])
            s.equal(words[0], "ungil", "the command")
            result = ungil(*words[1:], "--isolated", "--no-cache", cwd=folder)
            s.check(result.code == 1, lambda: "%s\n%s" % (x, result))
            stat = [line.split("\t") for line in git("diff", "--numstat", cwd=folder).out.splitlines()]
            hunks = len(re.findall("^@@", git("diff", cwd=folder).out, re.M))
            s.equal((", ".join(p for _, _, p in stat), sum(int(a) for a, _, _ in stat), sum(int(d) for _, d, _ in stat), hunks),
                    (x["files"], x["added"], x["removed"], x["hunks"]), x["command"])
            git("commit", "-qam", "step", cwd=folder)
            left = [y["command"] for y in steps(folder)["steps"]]
            s.check(x["command"] not in left, lambda: "still there: %s" % x["command"])
        s.equal([x for x in steps(folder)["steps"] if x["phase"] == "safe"], [], "nothing is left to do")


UNSAFE = ("import threading\nimport time\n\n_state = {}\n\n\ndef load(key):\n    if key not in _state:\n        time.sleep(1)\n"
          "        _state[key] = open(key).read()\n        print(key)\n    return _state[key]\n\n\n"
          "for i in range(3):\n    threading.Thread(target=load, args=('x',)).start()\n")
BY_HAND = ("import threading\n\na = threading.Lock()\nb = threading.Lock()\n\n\ndef one():\n    with a:\n        with b:\n            pass\n\n\n"
           "def two():\n    with b:\n        with a:\n            pass\n\n\nthreading.Thread(target=one).start()\nthreading.Thread(target=two).start()\n")


def test_phases(s):
    with temporary() as folder:
        write_tree(folder, {"order.py": BY_HAND, "cache.py": UNSAFE, "broken.py": "def f(:\n    x\n",
                            "advice.py": "import threading\n\nlog = []\n\n\ndef w():\n    log.append(1)\n\n\nfor i in range(3):\n"
                                         "    threading.Thread(target=w).start()\n"})
        git_start(folder)
        result = plan(folder)
        s.check(result.code == 1 and "## By hand: " in result.out and "line 9, UG303" in result.out, result)
        s.check("## Not analysed" in result.out and "broken.py" in result.out, result)
        s.check("- Thread(target=one) at order.py:19" in result.out, result)
        check = ungil("check", "--isolated", "--no-cache", "--format", "json", cwd=folder).json()
        o = steps(folder)
        listed = sorted(f["fingerprint"] for x in o["steps"] for f in x["findings"])
        s.equal(listed, sorted(f["fingerprint"] for f in check["findings"] if not f["suppressed"]), "each finding is in one step")
        s.equal(sum(o["summary"][k] for k in ("safe", "decide", "by-hand", "advice")), o["summary"]["findings"], "the phases")
        s.check(all(f["reason"] for x in o["steps"] if x["phase"] == "by-hand" for f in x["findings"]), "a reason for each")
        for x in o["steps"]:
            unsafe = [f for f in check["findings"] if f["fingerprint"] in {y["fingerprint"] for y in x["findings"]}
                      and f["fix"] and f["fix"]["safety"] == "unsafe"]
            s.equal("--unsafe-fixes" in (x["command"] or ""), x["phase"] == "decide", "commands of the phase\n%s" % x)
            s.check(x["phase"] != "safe" or not unsafe, lambda: "an unsafe fix among the safe ones: %s" % x)
    with temporary() as folder:
        write_file(os.path.join(folder, "x.py"), "x = 1\n")
        result = plan(folder)
        s.check(result.code == 0 and "**ungil: 0 findings**" in result.out and "None." in result.out, result)


def test_owners(s):
    with temporary() as folder:
        write_tree(folder, dict(TREE, **{".github/CODEOWNERS": "* @all\n/app/b.py @bee @two\n"}))
        git_start(folder)
        owners = {x["path"]: x["owners"] for x in steps(folder)["steps"]}
        s.equal((owners["app/b.py"], owners["app/d.py"]), ("@bee @two", "@all"), "owners")
        s.check("; @bee @two" in plan(folder).out.replace("\\", "").replace("&#64;", "@"), "owners in the text")


def test_burndown(s):
    with temporary() as folder:
        write_tree(folder, TREE)
        git_start(folder)
        git("tag", "start", cwd=folder)
        x = next(x for x in steps(folder)["steps"] if x["path"] == "app/b.py")
        ungil(*shlex.split(x["command"])[1:], "--isolated", cwd=folder)
        write_file(os.path.join(folder, "new.py"), UNSAFE)
        o = steps(folder, "--base", "start")
        b = o["burndown"]
        s.equal((b["then"], b["gone"], b["new"], b["now"]), (10, 2, o["summary"]["findings"] - 8, o["summary"]["findings"]), "counts")
        s.equal(b["rules"]["UG101"], {"then": 10, "now": 8, "gone": 2, "new": 0}, "of a rule")
        s.check(re.search(r"\*\*ungil: \d+ findings, \d+ fewer than at start\*\*", plan(folder, "--base", "start").out.replace("\\", "")),
                lambda: str(plan(folder, "--base", "start")))
        s.equal(o["badge"]["label"], "ungil", "the badge")
        for where, options, text in ((".", ("--base", "nowhere"), "nowhere"), (".", ("--base", "start", "app"), "takes no PATH"),
                                     ("app", ("--base", "start", "--root", "."), "must be the top of the repository")):
            result = plan(os.path.join(folder, where), *options)
            s.check(result.code == 2 and text in result.err and not result.out, result)


def test_output(s):
    with temporary() as folder:
        write_tree(folder, TREE)
        git_start(folder)
        result = plan(folder, "-o", "plan.md")
        s.check(result.code == 1 and not result.out, result)
        s.equal(lib.read_file(os.path.join(folder, "plan.md")).decode(), plan(folder).out, "-o")
        s.equal(plan(folder, "--exit-zero").code, 0, "--exit-zero")
        result = plan(folder, "--format", "sarif")
        s.check(result.code == 2 and "markdown (default) and json" in result.err, result)
        os.mkdir(os.path.join(folder, "sub"))
        write_file(os.path.join(folder, "sub/a`b|<c>\n.py"), TREE["app/d.py"].replace("from . import e", "import threading")
                   + "\nfor i in range(2):\n    threading.Thread(target=work).start()\n")
        result = plan(folder, "--format", "markdown")
        s.check("``sub/a`b|<c> .py``" in result.out, lambda: "a hostile name\n%s" % result)


def test_long_chain(s):
    """A chain of imports as long as the project, and a cycle through all of it."""
    n = 3000
    with temporary() as folder:
        write_tree(folder, {"m%d.py" % i: "import m%d\n" % (i + 1) for i in range(n)})
        write_file(os.path.join(folder, "m%d.py" % n), COUNTER % "import threading" + "threading.Thread(target=work).start()\n" * 2)
        s.equal([x["level"] for x in steps(folder)["steps"]], [0], "the leaf")
        write_file(os.path.join(folder, "m%d.py" % n), COUNTER % "import threading, m0" + "threading.Thread(target=work).start()\n" * 2)
        s.check("in a cycle of imports of %d files" % (n + 1) in plan(folder).out, "the cycle")


if __name__ == "__main__":
    suite = lib.Suite("plan")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
