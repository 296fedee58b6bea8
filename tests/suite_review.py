#!/usr/bin/env python3
"""`ungil review`: what a change adds, cures and worsens, between commits of real repositories, bare and shallow ones too."""
import contextlib
import json
import os
import sys

import lib
from lib import execute, git, temporary, ungil, write_file, write_tree

STATS = '''import threading

_lock = threading.Lock()
_jobs = {}
hits = 0


def put(key, value):
    with _lock:
        _jobs[key] = value


def take(key):
    with _lock:
        return _jobs.pop(key)


def size():
    with _lock:
        return len(_jobs)


def bump():
    global hits
    with _lock:
        hits += 1
'''
MAIN = '''import threading

from app import stats


def worker():
    stats.put(1, 2)
    stats.take(1)
    stats.bump()


def run():
    for _ in range(4):
        threading.Thread(target=worker).start()
'''
BASE = {"app/__init__.py": "", "app/stats.py": STATS, "app/main.py": MAIN, "README": "A project.\n"}
LOST = '''

def lose():
    global hits
    hits += 1
'''
IDLE = '''total = 0


def add(n):
    global total
    total += n
'''
START = '''

for _ in range(3):
    threading.Thread(target=add, args=(1,)).start()
'''
FORMATS = ("text", "concise", "json", "jsonl", "sarif", "rdjson", "github", "gitlab", "html", "junit", "markdown")


@contextlib.contextmanager
def repository(before=None, after=None, also=()):
    """A repository with two commits, `main` and `change`; `also` are files that main gets after the fork."""
    with temporary() as folder:
        write_tree(folder, BASE if before is None else before)
        lib.git_start(folder)
        git("checkout", "-qb", "change", cwd=folder)
        commit(folder, after or {})
        if also:
            git("checkout", "-q", "main", cwd=folder)
            commit(folder, dict(also), "Meanwhile")
            git("checkout", "-q", "change", cwd=folder)
        yield folder


def commit(folder, files, message="Change"):
    for name, text in files.items():
        path = os.path.join(folder, name)
        if text is None:
            os.unlink(path)
        else:
            write_file(path, text)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", message, cwd=folder)


def plain(**more):
    """An environment without the CI system that this may run in."""
    env = {k: v for k, v in lib.environment().items() if not k.startswith(("GITHUB_", "GITLAB_", "GITEA_", "CI"))}
    env.update(more)
    return env


def review(folder, *args, **more):
    return ungil("review", "--jobs", "1", *args, cwd=folder, env=plain(**more))


def document(c, folder, *args, code=1):
    result = review(folder, "--base", "main", "--format", "json", *args)
    c.code(result, code)
    return result.json() if result.code == code else {"findings": [], "review": {}}


def found(doc):
    return [(f["rule"], f["path"], f["line"]) for f in doc["findings"]]


def test_adds(c):
    with repository(after={"app/stats.py": STATS + LOST}) as folder:
        doc = document(c, folder)
        line = STATS.count("\n") + 5
        c.equal(found(doc), [("UG108", "app/stats.py", line)])
        x = doc["review"]["added"][0]
        c.equal((x["in_changed_lines"], x["cause"]["what"], x["cause"]["line"]), (True, "finding", line))
        c.equal(x["fingerprint"], doc["findings"][0]["fingerprint"])
        c.equal(x["suggestion"], {"path": "app/stats.py", "start_line": line, "end_line": line,
                                  "text": "    with _lock:\n        hits += 1"})
        c.equal(doc["review"]["head"], git("rev-parse", "change", cwd=folder).out.strip())
        c.equal(doc["review"]["merge_base"], git("rev-parse", "main", cwd=folder).out.strip())
        text = review(folder, "--base", "main")
        c.code(text, 1)
        c.has(text, "New in changed lines", "app/stats.py:%d:" % line, "This change adds 1 racy site.")
        c.code(review(folder, "--base", "main", "--exit-zero"), 0)
        quiet = review(folder, "--base", "main", "-q")
        c.equal(len(quiet.out.splitlines()), 1)


def test_patch_applies(c):
    with repository(after={"app/idle.py": IDLE, "app/main.py": MAIN.replace("stats.bump()", "stats.bump()\n    idle.add(1)")
                           .replace("import stats", "import idle, stats")}) as folder:
        doc = document(c, folder)
        c.equal([f[:2] for f in found(doc)], [("UG101", "app/idle.py")])
        patch = doc["review"]["added"][0]["patch"]
        applied = execute(["git", "apply", "--check", "-"], cwd=folder, input=patch.encode())
        c.code(applied, 0)


def test_suggestion_is_the_whole_fix(c):
    """Lines start_line..end_line replaced by the text give the same file as the patch does."""
    with repository(before={"README": ""}, after={"app.py": "import threading\n\n" + IDLE + START}) as folder:
        doc = document(c, folder)
        shown = [x for x in doc["review"]["added"] if x["suggestion"]]
        c.check(shown, json.dumps(doc["review"], indent=1))
        for x in shown:
            s = x["suggestion"]
            lines = lib.read_file(os.path.join(folder, "app.py")).decode().split("\n")
            lines[s["start_line"] - 1:s["end_line"]] = s["text"].split("\n")
            execute(["git", "apply", "-"], cwd=folder, input=x["patch"].encode())
            c.equal("\n".join(lines), lib.read_file(os.path.join(folder, "app.py")).decode())
            git("checkout", "-q", ".", cwd=folder)


def test_nothing(c):
    with repository(after={"README": "Another text.\n"}) as folder:
        doc = document(c, folder, code=0)
        c.equal((doc["findings"], doc["review"]["added"], doc["review"]["fixed"], doc["review"]["guards"]), ([], [], [], []))
        c.has(review(folder, "--base", "main"), "This change adds no racy site.")


def test_old_findings_are_not_new(c):
    with repository(before={**BASE, "app/stats.py": STATS + LOST},
                    after={"app/stats.py": "# A comment.\n\n" + STATS + LOST + "\n\nlimit = 3\n"}) as folder:
        c.equal(document(c, folder, code=0)["findings"], [])


def test_the_new_one_of_two(c):
    """Of two findings alike in one function, the one on the new line is new."""
    one = "\n\ndef lose():\n    global hits\n    hits += 1\n"
    two = "\n\ndef lose():\n    global hits\n    hits += 1\n    print(hits)\n    hits += 1\n"
    before = {**BASE, "app/stats.py": STATS + one}
    with repository(before=before, after={"app/stats.py": STATS + two.replace("hits += 1\n    print", "hits += 2\n    print", 1)
                                          .replace("hits += 2", "hits  +=  1", 1)}) as folder:
        doc = document(c, folder)
        c.equal(len(doc["findings"]), 1)
    with repository(before=before, after={"app/stats.py": STATS + "\n\ndef lose():\n    global hits\n    hits += 5\n"
                                          "    print(hits)\n    hits += 1\n"}) as folder:
        doc = document(c, folder)
        c.equal([f["line"] for f in doc["findings"]], [STATS.count("\n") + 5])


def test_fixes(c):
    with repository(before={**BASE, "app/stats.py": STATS + LOST}, after={"app/stats.py": STATS}) as folder:
        doc = document(c, folder, code=0)
        c.equal([(x["rule"], x["path"]) for x in doc["review"]["fixed"]], [("UG108", "app/stats.py")])
        c.has(review(folder, "--base", "main"), "This change fixes 1, adds no racy site", "fixed: app/stats.py:")
    with repository(before={**BASE, "app/lost.py": IDLE}, after={"app/lost.py": None}) as folder:
        document(c, folder, code=0)


def test_unreadable_is_not_fixed(c):
    """A file that got a syntax error, or can no longer be read, has not lost its findings."""
    before = {**BASE, "app/stats.py": STATS + LOST, "app/old.py": b"x = '\xff'\n"}
    for broken in (STATS + "\n\ndef (:\n", b"# \xff\n" + STATS.encode()):
        with repository(before=before, after={"app/stats.py": broken}) as folder:
            doc = document(c, folder, code=0)
            c.equal((doc["findings"], doc["review"]["fixed"]), ([], []))
            c.check("app/stats.py" in doc["review"]["unseen"])
            text = review(folder, "--base", "main")
            c.has(text, "note: app/stats.py")
            c.lacks(text, "old.py")
    damaged = "\n\ndef (:\n"
    with repository(before={**before, "app/stats.py": STATS + LOST + damaged}, after={"app/stats.py": STATS + damaged}) as folder:
        c.equal(len(document(c, folder, code=0)["review"]["fixed"]), 1)


def test_guards(c):
    """"guarded by _lock in n of m places"."""
    peek = "\n\ndef peek(key):\n    return _jobs.get(key)\n"
    with repository(after={"app/stats.py": STATS + peek}) as folder:
        result = review(folder, "--base", "main")
        c.has(result, "app.stats._jobs is now guarded by app.stats._lock in 3 of 4 places")
        guards = review(folder, "--base", "main", "--format", "json").json()["review"]["guards"]
        c.equal(guards, [{"place": "app.stats._jobs", "before": {"lock": "app.stats._lock", "guarded": 3, "total": 3},
                          "after": {"lock": "app.stats._lock", "guarded": 3, "total": 4}}])


def test_elsewhere(c):
    """A thread that the change starts makes old lines racy: told apart, and the line that did it is named."""
    main = "from app import idle\n\n\ndef work():\n    idle.add(1)\n"
    before = {"app/__init__.py": "", "app/idle.py": IDLE, "app/main.py": main}
    start = "import threading\n\n" + main + "\n\ndef run():\n    for _ in range(3):\n        threading.Thread(target=work).start()\n"
    with repository(before=before, after={"app/main.py": start}) as folder:
        doc = document(c, folder, "--min-confidence", "high")
        c.equal(found(doc), [("UG101", "app/idle.py", 6)])
        x = doc["review"]["added"][0]
        c.equal((x["in_changed_lines"], x["cause"]["what"], x["cause"]["path"], x["cause"]["line"]),
                (False, "thread", "app/main.py", start.count("\n")))
        c.has(review(folder, "--base", "main", "--min-confidence", "high"), "New elsewhere, brought about by this change")
        worse = document(c, folder, code=0)["review"]["worsened"]
        c.equal([(w["rule"], w["path"], w["how"]) for w in worse],
                [("UG101", "app/idle.py", "confidence medium before, high now")])
        c.has(review(folder, "--base", "main"), "worse: app/idle.py:6: UG101", "This change worsens 1")


def test_renames(c):
    """A renamed file, a renamed package and a function moved elsewhere bring nothing new."""
    racy = STATS + LOST
    before = {**BASE, "app/stats.py": racy}
    with repository(before=before) as folder:
        git("mv", "app/stats.py", "app/figures.py", cwd=folder)
        commit(folder, {"app/main.py": MAIN.replace("stats", "figures"), "app/figures.py": "# Figures.\n" + racy})
        doc = document(c, folder, code=0)
        c.equal((doc["findings"], doc["review"]["fixed"], doc["review"]["guards"]), ([], [], []))
        commit(folder, {"app/figures.py": "# Figures.\n" + racy + LOST.replace("lose", "lose2")})
        doc = document(c, folder)
        c.equal(found(doc), [("UG108", "app/figures.py", (racy + LOST).count("\n") + 1)])
        git("mv", "app", "program", cwd=folder)
        commit(folder, {"program/main.py": MAIN.replace("stats", "figures").replace("app", "program"),
                        "program/figures.py": racy})
        c.equal(document(c, folder, code=0)["findings"], [])
    with repository(before={"app.py": "import threading\n\n" + IDLE + START},
                    after={"idle.py": IDLE, "app.py": "import threading\n\nfrom idle import add\n" + START + "x = 1\n" * 40}) as folder:
        doc = document(c, folder, code=0)
        c.equal((doc["findings"], doc["review"]["fixed"]), ([], []))


def test_merge_base(c):
    """What the base branch got meanwhile is not the change's doing, neither added nor fixed."""
    with repository(before={**BASE, "app/old.py": IDLE}, after={"app/stats.py": STATS + LOST},
                    also={"app/old.py": None, "app/more.py": IDLE}) as folder:
        doc = document(c, folder)
        c.equal([f[1] for f in found(doc)], ["app/stats.py"])
        c.equal(doc["review"]["fixed"], [])
        c.check(doc["review"]["base"] != doc["review"]["merge_base"])


def test_bare(c):
    with repository(after={"app/stats.py": STATS + LOST}) as folder, temporary() as other:
        expected = review(folder, "--base", "main").out
        bare = os.path.join(other, "project.git")
        git("clone", "-q", "--bare", folder, bare, cwd=other)
        result = review(bare, "--base", "main", "--head", "change")
        c.code(result, 1)
        c.equal(result.out, expected)
        c.equal(review(other, "--root", bare, "--base", "main", "--head", "change").out, expected)
        clone = os.path.join(other, "clone")
        git("clone", "-q", "-b", "change", folder, clone, cwd=other)
        c.equal(review(clone, "--base", "main").out, expected)  # only origin/main is there
        c.equal(review(os.path.join(clone, "app"), "--base", "origin/main").out, expected)
        write_file(os.path.join(clone, "app", "stats.py"), "x = (")
        c.equal(review(clone, "--base", "main").out, expected)  # the work tree plays no part


def test_shallow(c):
    with repository(after={"app/stats.py": STATS + LOST}, also={"README": "More.\n"}) as folder, temporary() as other:
        git("clone", "-q", "--depth", "1", "--no-single-branch", "-b", "change", "file://" + folder, "clone", cwd=other)
        clone = os.path.join(other, "clone")
        result = review(clone, "--base", "origin/main")
        c.code(result, 2)
        c.has(result, "shallow", "fetch-depth: 0", stream="err")
        c.equal(result.out, "")
        result = review(clone, "--base", "HEAD~1")
        c.code(result, 2)
        c.has(result, "HEAD~1", "fetch-depth: 0", stream="err")
    with repository(after={"app/stats.py": STATS}) as folder:
        git("checkout", "-q", "--orphan", "lonely", cwd=folder)
        commit(folder, {"app/stats.py": STATS + LOST})
        result = review(folder, "--base", "main")
        c.code(result, 2)
        c.has(result, "no common ancestor", stream="err")
        c.lacks(result, "shallow", stream="err")


def test_wrong_use(c):
    with repository() as folder:
        for args, word in ((["--base", "nowhere"], "nowhere"), (["--base", "main", "--head", "nothing"], "nothing"),
                           ([], "--base"), (["--base", "main:README"], "no commit"), (["--base", "main", "app"], "takes no arguments"),
                           (["--base", ""], "base"), (["--base", "main", "--post", "mail"], "mail"),
                           (["--base", "main", "--dry-run"], "--post"), (["--from", "x"], "--post"),
                           (["--base", "main", "--pr", "seven", "--post", "github"], "seven"),
                           (["--base", "main", "--dump", "races"], "--dump"), (["--base", "-x"], "-x")):
            result = review(folder, *args)
            c.code(result, 2)
            c.has(result, word, stream="err")
            c.equal(result.out, "", result)
    with temporary() as folder:
        result = review(folder, "--base", "main")
        c.code(result, 2)
        c.has(result, "git repository", stream="err")
    with temporary() as folder:
        git("init", "-q", cwd=folder)
        c.code(review(folder, "--base", "main"), 2)


def test_formats(c):
    """Each format shows the new finding and none of the old ones."""
    old = IDLE.replace("total", "elder")
    with repository(before={**BASE, "app/old.py": old}, after={"app/stats.py": STATS + LOST}) as folder:
        c.has(ungil("check", cwd=folder), "elder")
        for name in FORMATS:
            result = review(folder, "--base", "main", "--format", name)
            c.code(result, 1)
            c.has(result, "app/stats.py")
            c.lacks(result, "elder")
        with temporary() as other:
            path = os.path.join(other, "out.json")
            result = review(folder, "--base", "main", "--format", "json", "-o", path)
            c.equal(result.out, "")
            c.check("review" in json.loads(lib.read_file(path)))


def test_configuration_of_head(c):
    files = {"app/stats.py": STATS + LOST}
    with repository(after={**files, "ungil.toml": 'ignore = ["UG108"]\n'}) as folder:
        document(c, folder, code=0)
        document(c, folder, "--isolated")
        git("rm", "-q", "ungil.toml", cwd=folder)
        commit(folder, {"pyproject.toml": '[tool.ungil]\nexclude = ["app/stats.py"]\n'})
        document(c, folder, code=0)
        commit(folder, {"pyproject.toml": '[tool.ungil]\nexclude = []\n'})
        write_file(os.path.join(folder, "pyproject.toml"), '[tool.ungil]\nexclude = ["**"]\n')  # of the work tree
        document(c, folder)
        document(c, folder, "--exclude", "app", code=0)
        commit(folder, {"pyproject.toml": '[tool.ungil]\nexclud = []\n'})
        result = review(folder, "--base", "main")
        c.code(result, 2)
        c.has(result, "pyproject.toml:2:", "exclud", stream="err")
        # What names things of this machine is not followed: the text may be anybody's.
        commit(folder, {"pyproject.toml": '[tool.ungil]\ntransforms = "/nowhere"\njobs = 9999\ncache-dir = "/nowhere"\n'})
        document(c, folder)


def test_what_is_read(c):
    """Symbolic links, submodules, virtual environments and odd bytes in the tree."""
    with repository() as folder:
        write_tree(folder, {"env/pyvenv.cfg": "", "env/lib/racy.py": IDLE, "odd.py": b"x = '\xff'\n", "app/idle.py": IDLE,
                            "bin/tool": "#!/usr/bin/python3\n" + IDLE, "empty.py": ""})
        for name, target in (("link.py", "idle.py"), ("up.py", "../odd.py"), ("out.py", "../../x.py"), ("away.py", "/etc/x.py"),
                             ("lost.py", "no.py"), ("text.py", "../bin/tool"), ("folder.py", "../bin")):
            os.symlink(target, os.path.join(folder, "app", name))
        git("update-index", "--add", "--cacheinfo", "160000,%s,vendored" % git("rev-parse", "HEAD", cwd=folder).out.strip(),
            cwd=folder)
        git("add", "-A", ":!vendored", cwd=folder)
        git("commit", "-qm", "Odd things", cwd=folder)
        result = review(folder, "--base", "main", "--format", "json", "--assume-threads", "always")
        doc = result.json()
        c.equal(found(doc), [("UG101", "app/idle.py", 6)])
        c.equal(sorted((n["path"], n["code"]) for n in doc["notes"]), [("app/%s.py" % n, "link") for n in ("away", "lost", "out", "text")] +
                [("odd.py", "not-utf8"), ("vendored", "submodule")])
        c.has(review(folder, "--base", "main"), "note: vendored: the submodule was left out", "note: app/out.py: the symbolic link")


def test_fix_branch(c):
    """The fixes of new findings, and of no others, as commits on top of head; nothing is checked out or touched."""
    old = IDLE.replace("total", "elder") + START
    text = "import threading\n\n" + IDLE.replace("total", "one") + "\n\n" + IDLE.replace("total", "two").replace("add", "add2") + START \
        + "    threading.Thread(target=add2, args=(1,)).start()\n"
    crlf = text.replace("one", "three").replace("\n", "\r\n")
    with repository(before={**BASE, "app/old.py": "import threading\n\n" + old, ".gitattributes": "*.py text=auto\n"},
                    after={"app/new.py": text}) as folder, temporary() as other:
        git("-c", "core.attributesFile=/dev/null", "config", "core.autocrlf", "false", cwd=folder)
        blob = execute(["git", "hash-object", "-w", "--stdin", "--no-filters"], cwd=folder, input=crlf.encode()).out.strip()
        git("update-index", "--add", "--cacheinfo", "100755,%s,app/crlf.py" % blob, cwd=folder)
        git("commit", "-qm", "More", cwd=folder)
        head = git("rev-parse", "change", cwd=folder).out.strip()
        bare = os.path.join(other, "project.git")
        git("clone", "-q", "--bare", folder, bare, cwd=other)
        git("config", "user.name", "Ada", cwd=bare)
        git("config", "user.email", "ada@example.org", cwd=bare)
        args = ("--base", "main", "--head", "change", "--fix-branch", "ungil/fixes")
        result = review(bare, *args)
        c.code(result, 1)
        c.has(result, "ungil/fixes", stream="err")
        log = git("log", "--format=%s", "change..ungil/fixes", cwd=bare).out.splitlines()
        c.equal(len(log), 4, log)
        changed = git("diff", "--stat", "change", "ungil/fixes", cwd=bare).out
        c.check("app/new.py" in changed and "app/crlf.py" in changed and "old.py" not in changed, changed)
        raw = execute(["git", "show", "ungil/fixes:app/crlf.py"], cwd=bare).raw
        c.equal((raw.count(b"\n"), raw.count(b"\r\n")), (raw.count(b"\r\n"), crlf.count("\n") + 4))
        c.check("100755" in git("ls-tree", "ungil/fixes", "app/crlf.py", cwd=bare).out)
        c.code(git("fsck", "--strict", cwd=bare), 0)
        after = review(bare, "--base", "change", "--head", "ungil/fixes", "--format", "json").json()
        c.equal((after["findings"], len(after["review"]["fixed"])), ([], 4))
        tree = git("rev-parse", "ungil/fixes^{tree}", cwd=bare).out
        c.code(review(bare, *args), 1)  # replaces its own branch
        c.equal(git("rev-parse", "ungil/fixes^{tree}", cwd=bare).out, tree)
        git("branch", "mine", "main", cwd=bare)
        git("update-ref", "refs/heads/ungil/fixes", git("commit-tree", "-p", "ungil/fixes", "-m", "By hand", "main^{tree}", cwd=bare).out.strip(),
            cwd=bare)
        result = review(bare, *args)
        c.code(result, 2)
        c.has(result, "ungil/fixes", stream="err")
        result = review(folder, "--base", "main", "--fix-branch", "change")
        c.code(result, 2)
        c.equal(git("rev-parse", "change", cwd=folder).out.strip(), head)
        c.code(review(folder, "--base", "main", "--fix-branch", "a..b"), 2)
        c.equal(git("rev-parse", "change", cwd=bare).out.strip(), head)
    with repository(after={"README": "More.\n"}) as folder:
        c.code(review(folder, "--base", "main", "--fix-branch", "fixes"), 0)
        c.equal(git("branch", "--list", "fixes", cwd=folder).out, "")


def test_suppressed(c):
    quiet = LOST.replace("hits += 1", "hits += 1  # ungil: ignore[UG108] counted roughly")
    with repository(after={"app/stats.py": STATS + quiet}) as folder:
        document(c, folder, code=0)
    with repository(before={**BASE, "app/stats.py": STATS + quiet}, after={"app/stats.py": STATS + LOST}) as folder:
        c.equal(len(document(c, folder)["findings"]), 1)


def test_same_as_check(c):
    """Against an empty tree, everything that check finds is new, with the same words."""
    racy = {**BASE, "app/stats.py": STATS + LOST, "app/idle.py": IDLE, "setup.py": "x = 1\n", "src/deep/mod.py": IDLE}
    with repository(before={}, after=racy) as folder:
        doc = document(c, folder)
        expected = ungil("check", "--format", "json", "--jobs", "1", cwd=folder).json()
        c.check(len(doc["findings"]) >= 2)
        c.equal(doc["findings"], expected["findings"])


def test_ci_environment(c):
    """In CI the two commits come from the event; the merge commit that is checked out there is not what is reviewed."""
    with repository(after={"app/stats.py": STATS + LOST}) as folder, temporary() as other:
        base, head = (git("rev-parse", rev, cwd=folder).out.strip() for rev in ("main", "change"))
        git("checkout", "-q", "main", cwd=folder)
        commit(folder, {"README": "More.\n"})
        git("merge", "-q", "--no-edit", "change", cwd=folder)
        event = os.path.join(other, "event.json")
        write_file(event, json.dumps({"number": 7, "pull_request": {"number": 7, "base": {"sha": base}, "head": {"sha": head}}}))
        doc = review(folder, "--format", "json", GITHUB_EVENT_PATH=event).json()
        c.equal((doc["review"]["head"], len(doc["findings"])), (head, 1))
        doc = review(folder, "--format", "json", GITLAB_CI="true", CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_SHA=head,
                     CI_MERGE_REQUEST_IID="7").json()
        c.equal((doc["review"]["head"], len(doc["findings"])), (head, 1))
        write_file(event, "{")
        result = review(folder, GITHUB_EVENT_PATH=event)
        c.code(result, 2)
        c.has(result, "GITHUB_EVENT_PATH", stream="err")


if __name__ == "__main__":
    suite = lib.Suite("review")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
