#!/usr/bin/env python3
"""`ungil commit`: real repositories in every state, and git itself as the judge of what comes out."""
import contextlib
import json
import os
import re
import subprocess
import sys

import lib
from lib import git, temporary, ungil, write_file, write_tree
from samples import CACHE, CLEAN, COUNTER, PROJECT



@contextlib.contextmanager
def project(files=PROJECT, repository=True):
    """A folder with these files, as a git repository if asked."""
    with temporary() as folder:
        write_tree(folder, files)
        if repository:
            lib.git_start(folder)
        yield folder


def head(folder, name="HEAD"):
    return git("rev-parse", name, cwd=folder).out.strip()


def commits(folder, since, until="HEAD"):
    return git("rev-list", "--reverse", "%s..%s" % (since, until), cwd=folder).out.split()


def message(folder, commit):
    return git("log", "-1", "--format=%B", commit, cwd=folder).out


def trailers(folder, commit):
    out = lib.execute(["git", "interpret-trailers", "--parse"], input=message(folder, commit).encode(), cwd=folder).out
    return [tuple(line.split(": ", 1)) for line in out.splitlines()]


def changed_files(folder, commit):
    return git("-c", "core.quotePath=false", "show", "--format=", "--name-only", commit, cwd=folder).out.splitlines()


def refused(c, folder, *words, args=(), env=None):
    """The run ends with status 2 and these words, and nothing at all has changed."""
    def state():
        refs = lib.execute(["git", "for-each-ref"], cwd=folder).out + lib.execute(["git", "rev-parse", "HEAD"], cwd=folder).out
        return refs, lib.read_tree(folder), lib.execute(["git", "status", "--porcelain"], cwd=folder).out
    before = state()
    result = ungil("commit", *args, cwd=folder, env=env)
    c.code(result, 2)
    c.has(result, *words, stream="err")
    c.check(state() == before, "something changed\n%s" % result)
    return result


def compiles_everywhere(c, folder, since, until="HEAD"):
    """Every commit by itself is a program that Python compiles."""
    for commit in commits(folder, since, until):
        for name in changed_files(folder, commit):
            if name.endswith(".py"):
                c.check(not lib.compiles(git("show", "%s:%s" % (commit, name), cwd=folder).raw, name), (commit, name))


# --- what a commit is -----------------------------------------------------------------------------------------------------

def test_commit(c):
    with project() as folder:
        start = git("rev-parse", "HEAD", cwd=folder).out.strip()
        found = ungil("check", "--format", "json", cwd=folder).json()["findings"]
        fingerprints = {f["rule"]: f["fingerprint"] for f in found}
        result = ungil("commit", cwd=folder)
        c.check(result.code in (0, 1), result)
        commits = git("rev-list", "--reverse", start + "..HEAD", cwd=folder).out.split()
        c.equal(len(commits), 2, "one commit for each decision")
        c.equal(git("status", "--porcelain", cwd=folder).out, "")
        for commit in commits:
            message = git("log", "-1", "--format=%B", commit, cwd=folder).out
            who = git("log", "-1", "--format=%an <%ae>|%cn <%ce>", commit, cwd=folder).out.strip()
            c.equal(who, "Ada Example <ada@example.org>|Ada Example <ada@example.org>")
            subject, blank, *body = message.rstrip("\n").split("\n")
            c.check(len(subject) <= 72 and not subject.endswith(".") and blank == "" and body, message)
            c.check(all(len(line) <= 80 for line in body if "http" not in line and not re.match(r"[\w-]+: ", line)), message)
            trailers = lib.execute(["git", "interpret-trailers", "--parse"], input=message.encode(), cwd=folder).out
            c.check(any(f in trailers for f in fingerprints.values()), "no trailer with the fingerprint\n%s" % message)
            changed = git("show", "--format=", "--name-only", commit, cwd=folder).out.split()
            c.equal(len(changed), 1, message)
            data = git("show", "%s:%s" % (commit, changed[0]), cwd=folder).raw
            c.check(not lib.compiles(data, changed[0]), changed)
            c.check("_lock" in message and "hit" in message or "cache" in message, message)
        c.code(ungil("check", cwd=folder), 0)


def test_commit_nothing(c):
    with project({"a.py": CLEAN}) as folder:
        start = git("rev-parse", "HEAD", cwd=folder).out
        c.code(ungil("commit", cwd=folder), 0)
        c.equal(git("rev-parse", "HEAD", cwd=folder).out, start)


def test_commit_dirty(c):
    with project() as folder:
        start = git("rev-parse", "HEAD", cwd=folder).out
        changed = COUNTER + "\n# not committed\n"
        write_file(os.path.join(folder, "app/stats.py"), changed)
        result = ungil("commit", cwd=folder)
        c.code(result, 2)
        c.has(result, "app/stats.py", stream="err")
        c.equal(git("rev-parse", "HEAD", cwd=folder).out, start)
        c.equal(lib.read_file(os.path.join(folder, "app/stats.py")).decode(), changed)
        allowed = ungil("commit", "--allow-dirty", cwd=folder)
        c.check(allowed.code in (0, 1), allowed)
        c.check(git("rev-parse", "HEAD", cwd=folder).out != start, allowed)


def test_commit_leaves_other_changes(c):
    with project({**PROJECT, "notes.txt": "one\n", "more.txt": "one\n"}) as folder:
        write_file(os.path.join(folder, "notes.txt"), "staged\n")
        git("add", "notes.txt", cwd=folder)
        write_file(os.path.join(folder, "more.txt"), "not staged\n")
        write_file(os.path.join(folder, "new.txt"), "untracked\n")
        before, start = git("status", "--porcelain", cwd=folder).out, git("rev-parse", "HEAD", cwd=folder).out.strip()
        result = ungil("commit", cwd=folder)
        c.check(result.code in (0, 1), result)
        c.equal(git("status", "--porcelain", cwd=folder).out, before)
        c.check("notes.txt" not in git("diff", "--name-only", start, "HEAD", cwd=folder).out, "a staged file was committed")
        c.equal(git("show", ":notes.txt", cwd=folder).out, "staged\n")


def test_commit_branch(c):
    """A new branch and nothing else: neither HEAD nor a file, nor its time stamp, nor the index."""
    with project() as folder:
        start = head(folder)
        write_file(os.path.join(folder, "notes.txt"), "staged\n")
        git("add", "notes.txt", cwd=folder)
        before, stamps = lib.read_tree(folder), {n: os.stat(os.path.join(folder, n)).st_mtime_ns for n in PROJECT}
        index = lib.read_file(os.path.join(folder, ".git/index"))
        result = ungil("commit", "--branch", "free-threading", cwd=folder)
        c.code(result, 1)
        c.has(result, "2 commits", "free-threading")
        c.equal(head(folder), start, "HEAD must stay")
        c.equal(git("symbolic-ref", "--short", "HEAD", cwd=folder).out.strip(), "main")
        c.equal(len(commits(folder, "main", "free-threading")), 2)
        c.equal(lib.read_tree(folder), before)
        c.equal({n: os.stat(os.path.join(folder, n)).st_mtime_ns for n in PROJECT}, stamps)
        c.equal(lib.read_file(os.path.join(folder, ".git/index")), index)
        compiles_everywhere(c, folder, "main", "free-threading")
        refused(c, folder, "free-threading", "exists", args=("--branch", "free-threading"))
        refused(c, folder, "no valid branch name", args=("--branch", "a..b"))
        git("checkout", "-q", "free-threading", cwd=folder)
        c.code(ungil("check", cwd=folder), 0)


def test_commit_outside_git(c):
    with project(repository=False) as folder:
        before = lib.read_tree(folder)
        result = ungil("commit", cwd=folder)
        c.code(result, 2)
        c.has(result, "git", stream="err")
        c.equal(lib.read_tree(folder), before)


def test_commit_without_author(c):
    with project() as folder:
        start = git("rev-parse", "HEAD", cwd=folder).out
        before = lib.read_tree(folder)
        with temporary() as empty:
            env = lib.environment(HOME=empty, XDG_CONFIG_HOME=empty)
            result = ungil("commit", cwd=folder, env=env)
        c.code(result, 2)
        c.has(result, "user", stream="err")
        c.equal(git("rev-parse", "HEAD", cwd=folder).out, start)
        c.equal(lib.read_tree(folder), before)


def test_commit_in_subdirectory(c):
    with project({"project/" + n: t for n, t in PROJECT.items()}) as folder:
        result = ungil("commit", cwd=os.path.join(folder, "project"))
        c.check(result.code in (0, 1), result)
        c.equal(git("status", "--porcelain", cwd=folder).out, "")
        c.has(git("log", "-1", "--name-only", "--format=", cwd=folder), "project/app/")


def test_commit_mode(c):
    with project(repository=False) as folder:
        os.chmod(os.path.join(folder, "app/stats.py"), 0o755)
        lib.git_start(folder)
        ungil("commit", cwd=folder)
        c.has(git("ls-tree", "HEAD", "app/stats.py", cwd=folder), "100755")


# --- grouping --------------------------------------------------------------------------------------------------------------

BOTH = COUNTER + '''

cache = {}


def load(key, compute):
    if key not in cache:
        cache[key] = compute(key)
    return cache[key]


def fill(keys, compute):
    for key in keys:
        threading.Thread(target=load, args=(key, compute)).start()
'''
GROUPS = {"one/a.py": BOTH, "two/b.py": COUNTER, "two/c.py": CACHE}


def test_per(c):
    for per, count, subjects in (("decision", 4, ()), ("rule", 2, ("UG101 unguarded-update", "UG10")),
                                 ("file", 3, ("one/a.py", "two/c.py")), ("all", 1, ("Fix 4 races",))):
        with project(GROUPS) as folder:
            start = head(folder)
            c.code(ungil("commit", "--per", per, cwd=folder), 1)
            made = commits(folder, start)
            c.equal(len(made), count, per)
            text = "".join(message(folder, m) for m in made)
            c.check(all(s in text for s in subjects), text)
            c.equal(sum(name == "Ungil-Fingerprint" for m in made for name, _ in trailers(folder, m)), 4, text)
            if per == "file":
                c.equal([changed_files(folder, m) for m in made], [["one/a.py"], ["two/b.py"], ["two/c.py"]])
            if per == "rule":
                c.equal([[v for n, v in trailers(folder, m) if n == "Ungil-Rule"][:1] == ["UG101"] for m in made], [True, False])
            c.check(all(len(line) <= 72 for m in made for line in message(folder, m).split("\n")[:1]), text)
            compiles_everywhere(c, folder, start)
            c.equal(git("status", "--porcelain", cwd=folder).out, "")
            c.code(ungil("check", cwd=folder), 0)


def test_per_unknown(c):
    with project() as folder:
        refused(c, folder, "per", "moon", args=("--per", "moon"))


SHARED = {"app/__init__.py": "", "app/state.py": "total = 0\n", "app/a.py": '''import threading

from app import state


def add():
    state.total += 1


def run():
    for _ in range(4):
        threading.Thread(target=add).start()
''', "app/b.py": '''from app import state


def more(n):
    state.total += n
''', "app/main.py": '''import threading

from app.b import more


def run():
    for n in range(4):
        threading.Thread(target=more, args=(n,)).start()
'''}


def test_decision_stays_whole(c):
    """A lock that guards accesses in several files is one commit, however commits are divided."""
    for per in ("decision", "rule", "file", "all"):
        with project(SHARED) as folder:
            start = head(folder)
            c.code(ungil("commit", "--per", per, cwd=folder), 1)
            made = commits(folder, start)
            c.equal(len(made), 1, per)
            c.equal(sorted(changed_files(folder, made[0])), ["app/a.py", "app/b.py", "app/state.py"])


ROUNDS = """import threading

seen = {}


class Histogram:
    def __init__(self):
        self.fresh = 0

    def add(self, word):
        if word not in seen:
            self.fresh += 1
            seen[word] = len(seen)

    def forget(self):
        self.fresh -= 1


histogram = Histogram()


def main():
    for word in "abcd":
        threading.Thread(target=histogram.add, args=(word,)).start()
        threading.Thread(target=histogram.forget).start()
"""


def test_rounds(c):
    """What the first fixes make room for is committed on top, so that the end is what `ungil diff` shows and a second run does nothing."""
    for per, count in (("decision", 2), ("file", 2), ("all", 1)):
        with project({"hist.py": ROUNDS}) as folder:
            start = head(folder)
            first = sum(bool(f["fix"] and f["fix"]["edits"]) for f in ungil("check", "--format", "json", cwd=folder).json()["findings"])
            patch = ungil("diff", cwd=folder)
            c.has(ungil("commit", "--per", per, cwd=folder), "for 3 findings in 1 file")
            made = commits(folder, start)
            c.equal((len(made), first), (count, 2))
            prints = [v for m in made for n, v in trailers(folder, m) if n == "Ungil-Fingerprint"]
            c.equal(len(set(prints)), 3, prints)
            compiles_everywhere(c, folder, start)
            done = git("rev-parse", "HEAD^{tree}", cwd=folder).out
            c.code(ungil("commit", cwd=folder), 0)
            git("checkout", "-q", start, cwd=folder)
            c.code(lib.execute(["git", "apply", "--index", "-"], cwd=folder, input=patch.raw), 0)
            c.equal(git("write-tree", cwd=folder).out, done)


def owners(files, codeowners, where, *args):
    with project({**files, where: codeowners}) as repo:
        start = head(repo)
        result = ungil("commit", "--owners", *args, cwd=repo)
        return result, {dict(trailers(repo, m)).get("Ungil-Owners", ""): changed_files(repo, m) for m in commits(repo, start)}


def test_owners(c):
    text = "# who\n*.py @org/all\n/one/ @org/one  # theirs\ntwo/c.py\n"
    for where in ("CODEOWNERS", "docs/CODEOWNERS", ".github/CODEOWNERS"):
        result, found = owners(GROUPS, text, where)
        c.code(result, 1)
        c.equal(found, {"@org/one": ["one/a.py"], "@org/all": ["two/b.py"], "": ["two/c.py"]})
    text = "[Base] @base\n*\n^[Data][2] @data\none/a.py\nb.py @b ada@example.org\n!/two/c.py\n"
    result, found = owners(GROUPS, text, ".gitlab/CODEOWNERS")
    c.equal(found, {"@base @data": ["one/a.py"], "@base @b ada@example.org": ["two/b.py"], "@base": ["two/c.py"]})
    result, found = owners(GROUPS, "* @a\n", "CODEOWNERS", "--per", "file")
    c.code(result, 1)
    with project(GROUPS) as folder:
        start = head(folder)
        refused(c, folder, "CODEOWNERS", args=("--owners",))
        write_file(os.path.join(folder, "CODEOWNERS"), "* @a @b\n")
        git("add", "-A", cwd=folder)
        git("commit", "-q", "-m", "Own", cwd=folder)
        start = head(folder)
        c.code(ungil("commit", "--owners", "--per", "file", cwd=folder), 1)
        c.equal([dict(trailers(folder, m))["Ungil-Owners"] for m in commits(folder, start)], ["@a @b"] * 3)


# --- trailers, signing, blame ------------------------------------------------------------------------------------------------

def test_trailers(c):
    with project() as folder:
        start = head(folder)
        c.code(ungil("commit", "--signoff", cwd=folder), 1)
        for m in commits(folder, start):
            names = [n for n, _ in trailers(folder, m)]
            c.equal(names, ["Ungil-Rule", "Ungil-Fingerprint", "Ungil-Safety", "Signed-off-by"])
            c.check(dict(trailers(folder, m))["Ungil-Safety"] == "safe", message(folder, m))
            c.equal(dict(trailers(folder, m))["Signed-off-by"], "Ada Example <ada@example.org>")


def test_author_from_environment(c):
    with project() as folder:
        env = lib.environment(GIT_AUTHOR_NAME="Bo Bot", GIT_AUTHOR_EMAIL="bo@example.org", GIT_COMMITTER_NAME="Ci Runner")
        c.code(ungil("commit", "--signoff", cwd=folder, env=env), 1)
        who = git("log", "-1", "--format=%an <%ae>|%cn <%ce>", cwd=folder).out.strip()
        c.equal(who, "Bo Bot <bo@example.org>|Ci Runner <ada@example.org>")
        c.equal(dict(trailers(folder, "HEAD"))["Signed-off-by"], "Ci Runner <ada@example.org>")


def test_gpgsign(c):
    with project() as folder:
        git("config", "commit.gpgSign", "true", cwd=folder)
        start = head(folder)
        result = ungil("commit", "--branch", "fixes", cwd=folder)
        c.code(result, 1)
        c.has(result, "commit.gpgSign", "git rebase", start[:12] + " fixes", stream="err")
        command = re.search(r"git rebase .*", result.err).group(0).split()
        program = os.path.join(folder, ".git", "fake-gpg")  # says what gpg says when it has signed
        write_file(program, "#!/bin/sh\ncat >/dev/null\necho '-----BEGIN PGP SIGNATURE-----'\necho x\necho '-----END PGP SIGNATURE-----'\necho '[GNUPG:] SIG_CREATED ' >&2\n")
        os.chmod(program, 0o755)
        git("config", "gpg.program", program, cwd=folder)
        c.code(lib.execute(command, cwd=folder), 0)
        signed = git("log", "--format=%H", start + "..fixes", cwd=folder).out.split()
        c.equal(len(signed), 2)
        c.check(all("gpgsig" in git("cat-file", "commit", s, cwd=folder).out for s in signed), "not signed by the command named")


def test_blame_ignore_revs(c):
    for old in (None, "# formatting\n" + "1" * 40 + "\n", "# no newline at the end"):
        with project({**PROJECT, **({".git-blame-ignore-revs": old} if old else {})}) as folder:
            start = head(folder)
            c.code(ungil("commit", "--blame-ignore-revs", cwd=folder), 1)
            made = commits(folder, start)
            c.equal(len(made), 3)
            c.equal(changed_files(folder, made[-1]), [".git-blame-ignore-revs"])
            text = lib.read_file(os.path.join(folder, ".git-blame-ignore-revs")).decode()
            c.check(text.startswith(old or ""), text)
            c.equal(re.findall(r"^[0-9a-f]{40}$", text[len(old or ""):], re.M), made[:2])
            c.equal(git("status", "--porcelain", cwd=folder).out, "")
            if old and old.startswith("# no"):
                continue
            blame = git("blame", "--ignore-revs-file", ".git-blame-ignore-revs", "-s", "app/stats.py", cwd=folder).out
            line = [x for x in blame.splitlines() if "hits += 1" in x][0]
            c.check(line.startswith("^" + start[:7]) or line.startswith(start[:7]), blame)
    with project() as folder:
        result = ungil("commit", "--blame-ignore-revs", "--branch", "x", cwd=folder)
        c.code(result, 1)
        c.check(not os.path.exists(os.path.join(folder, ".git-blame-ignore-revs")), result)
        c.equal(git("show", "x:.git-blame-ignore-revs", cwd=folder).out.count("\n"), 5)
        write_file(os.path.join(folder, ".git-blame-ignore-revs"), "# mine\n")
        refused(c, folder, ".git-blame-ignore-revs", "not in git", args=("--blame-ignore-revs",))
        refused(c, folder, "patches are none yet", args=("--blame-ignore-revs", "--patches", "p"))


# --- the state of the repository -----------------------------------------------------------------------------------------------

def test_dirty_kinds(c):
    with project() as folder:
        stats = os.path.join(folder, "app/stats.py")
        write_file(stats, COUNTER + "\n# staged\n")
        git("add", "app/stats.py", cwd=folder)
        refused(c, folder, "app/stats.py", "staged")
        refused(c, folder, "app/stats.py", "staged", args=("--branch", "x"))
        write_file(stats, COUNTER)
        refused(c, folder, "app/stats.py", "staged")
        git("reset", "-q", "--hard", cwd=folder)
        write_file(os.path.join(folder, "app/new.py"), COUNTER)
        refused(c, folder, "app/new.py", "not in git")
        os.unlink(os.path.join(folder, "app/new.py"))
        git("update-index", "--assume-unchanged", "app/stats.py", cwd=folder)
        write_file(stats, COUNTER + "\n# hidden\n")
        refused(c, folder, "app/stats.py", "uncommitted")


def test_allow_dirty_new_file(c):
    with project() as folder:
        write_file(os.path.join(folder, "app/new.py"), COUNTER)
        c.code(ungil("commit", "--allow-dirty", cwd=folder), 1)
        c.equal(git("status", "--porcelain", cwd=folder).out, "")
        c.check(b"_lock" in git("show", "HEAD:app/new.py", cwd=folder).raw)


def test_unborn(c):
    with project(repository=False) as folder:
        git("init", "-q", cwd=folder)
        refused(c, folder, "no commit yet")


def test_bare(c):
    with project() as folder, temporary() as other:
        bare, start = os.path.join(other, "bare.git"), head(folder)
        git("clone", "-q", "--bare", folder, bare, cwd=other)
        result = ungil("commit", cwd=bare)
        c.code(result, 2)
        c.has(result, "bare", "--branch", stream="err")
        # Read from HEAD's tree, the result is that of a clone.
        env = lib.environment(GIT_AUTHOR_NAME="Bo", GIT_AUTHOR_EMAIL="bo@example.org")
        for args in ((), ("--blame-ignore-revs",), ("--per", "all")):
            name = "fixes" + "".join(args)
            made = ungil("commit", "--branch", name, *args, cwd=bare, env=env)
            c.code(made, 1)
            compiles_everywhere(c, bare, start, name)
            ungil("commit", "--branch", name, *args, cwd=folder, env=env)
            if "--blame-ignore-revs" not in args:  # that file names the commits, which hold the time
                c.equal(git("rev-parse", name + "^{tree}", cwd=bare).out, git("rev-parse", name + "^{tree}", cwd=folder).out)
            c.equal(git("log", "--format=%B", name, cwd=bare).out, git("log", "--format=%B", name, cwd=folder).out)
        c.equal(head(bare), start)
        c.code(git("fsck", "--strict", cwd=bare), 0)
        c.code(ungil("commit", "--patches", os.path.join(other, "p"), cwd=bare), 1)
        c.code(lib.execute(["sh", "-c", "git am -q %s/p/*.patch" % other], cwd=folder), 0)
        c.equal(head(folder, "HEAD^{tree}"), head(bare, "fixes^{tree}"))


def test_bare_with_configuration(c):
    """What the configuration of HEAD leaves out stays out, and files come out as they are stored."""
    files = {**PROJECT, "vendor/x.py": COUNTER, "ungil.toml": 'exclude = ["vendor"]\n', "tools/run.py": COUNTER.replace("\n", "\r\n")}
    with project(files, repository=False) as folder, temporary() as other:
        os.chmod(os.path.join(folder, "tools/run.py"), 0o755)
        lib.git_start(folder)
        bare = os.path.join(other, "bare.git")
        git("clone", "-q", "--bare", folder, bare, cwd=other)
        c.code(ungil("commit", "--branch", "x", cwd=bare), 1)
        c.equal(git("diff", "--name-only", "main", "x", cwd=bare).out.split(), ["app/stats.py", "app/store.py", "tools/run.py"])
        c.has(git("ls-tree", "x", "tools/run.py", cwd=bare), "100755 blob")
        stored = git("cat-file", "blob", "x:tools/run.py", cwd=bare).raw
        c.equal(stored.count(b"\r\n"), stored.count(b"\n"))
        git("init", "-q", "--bare", "new.git", cwd=other)
        unborn = ungil("commit", "--branch", "x", cwd=os.path.join(other, "new.git"))
        c.code(unborn, 2)
        c.has(unborn, "no commit yet", stream="err")


def test_detached(c):
    with project() as folder:
        start = head(folder)
        git("checkout", "-q", "--detach", cwd=folder)
        c.code(ungil("commit", cwd=folder), 1)
        c.equal(len(commits(folder, start)), 2)
        c.equal(head(folder, "main"), start)
        c.check(lib.execute(["git", "symbolic-ref", "-q", "HEAD"], cwd=folder).code != 0, "HEAD is on a branch")
        c.equal(git("status", "--porcelain", cwd=folder).out, "")


def test_in_progress(c):
    def conflict(folder):
        git("checkout", "-q", "-b", "side", cwd=folder)
        write_file(os.path.join(folder, "app/util.py"), "x = 1\n")
        git("commit", "-qam", "Side", cwd=folder)
        git("checkout", "-q", "main", cwd=folder)
        write_file(os.path.join(folder, "app/util.py"), "x = 2\n")
        git("commit", "-qam", "Main", cwd=folder)
    for command, word in ((["merge", "side"], "merge"), (["rebase", "side"], "rebase"), (["cherry-pick", "side"], "cherry-pick"),
                          (["bisect", "start"], "bisection")):
        with project() as folder:
            conflict(folder)
            git(*command, cwd=folder, check=False)
            refused(c, folder, word)


def test_worktree(c):
    with project() as folder, temporary() as other:
        start = head(folder)
        tree = os.path.join(other, "linked")
        git("worktree", "add", "-q", "-b", "linked", tree, cwd=folder)
        c.code(ungil("commit", cwd=tree), 1)
        c.equal(len(commits(tree, start)), 2)
        c.equal(git("status", "--porcelain", cwd=tree).out, "")
        c.equal(git("symbolic-ref", "--short", "HEAD", cwd=tree).out.strip(), "linked")
        c.equal(head(folder), start, "the main work tree")
        c.equal(git("status", "--porcelain", cwd=folder).out, "")
        c.code(git("fsck", "--strict", cwd=folder), 0)


def test_submodule(c):
    with project() as library, project({"main.py": COUNTER}) as folder:
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "parts/lib", cwd=folder)
        git("commit", "-qm", "Add the library", cwd=folder)
        start, inner = head(folder), os.path.join(folder, "parts/lib")
        refused(c, folder, "parts/lib", "another repository", "--exclude")
        c.code(ungil("commit", "--exclude", "parts", cwd=folder), 1)
        c.equal(changed_files(folder, "HEAD"), ["main.py"])
        c.has(git("ls-tree", "HEAD", "parts/lib", cwd=folder), "160000 commit")
        c.equal(git("status", "--porcelain", cwd=folder).out, "")
        inside = head(inner)
        c.code(ungil("commit", cwd=inner), 1)
        c.equal(len(commits(inner, inside)), 2)
        c.equal(git("status", "--porcelain", cwd=inner).out, "")
        c.equal(head(folder, "HEAD~1"), start)


def test_sparse_checkout(c):
    for index in ("--no-sparse-index", "--sparse-index"):
        with project({"one/a.py": COUNTER, "two/b.py": CACHE, "top.py": CLEAN}) as folder:
            start = head(folder)
            git("sparse-checkout", "set", "--cone", index, "one", cwd=folder)
            c.check(not os.path.exists(os.path.join(folder, "two/b.py")))
            if index == "--sparse-index":
                refused(c, folder, "sparse")
                continue
            result = ungil("commit", cwd=folder)
            c.code(result, 1)
            c.has(result, "1 Python file is not checked out", stream="err")
            c.equal([changed_files(folder, m) for m in commits(folder, start)], [["one/a.py"]])
            c.equal(git("status", "--porcelain", cwd=folder).out, "")
            c.check(not os.path.exists(os.path.join(folder, "two/b.py")))
            c.has(git("ls-tree", "-r", "--name-only", "HEAD", cwd=folder), "two/b.py")


def test_partial_clone(c):
    with project() as folder, temporary() as other:
        git("config", "uploadpack.allowFilter", "true", cwd=folder)
        git("clone", "-q", "--filter=blob:none", "file://" + folder, "clone", cwd=other)
        clone = os.path.join(other, "clone")
        git("config", "user.name", "Ada", cwd=clone)
        c.code(ungil("commit", cwd=clone), 1)
        c.equal(len(commits(clone, "origin/main")), 2)
        c.equal(git("status", "--porcelain", cwd=clone).out, "")


# --- line ends and attributes ------------------------------------------------------------------------------------------------

def whole_lines(folder, start):
    """Added and removed lines of the whole series: only what the fixes add, and lines that were indented."""
    return git("diff", "--numstat", start, "HEAD", cwd=folder).out.split()[:2]


def test_autocrlf(c):
    """The work tree has CRLF, git stores LF; and the other way round."""
    crlf = COUNTER.replace("\n", "\r\n")
    for attributes, config in (("*.py text eol=crlf\n", None), ("* text=auto\n", "true"), ("", "true")):
        with project({"a.py": COUNTER, ".gitattributes": attributes}) as folder:
            if config:
                git("config", "core.autocrlf", config, cwd=folder)
            os.unlink(os.path.join(folder, "a.py"))
            git("checkout", "--", "a.py", cwd=folder)
            c.check(b"\r\n" in lib.read_file(os.path.join(folder, "a.py")), "the work tree should have CRLF")
            start = head(folder)
            result = ungil("commit", cwd=folder)
            c.code(result, 1)
            c.equal(git("status", "--porcelain", cwd=folder).out, "")
            c.check(b"\r" not in git("cat-file", "blob", "HEAD:a.py", cwd=folder).raw, "stored with CR")
            text = lib.read_file(os.path.join(folder, "a.py"))
            c.equal(text.count(b"\r\n"), text.count(b"\n"))
            c.equal(whole_lines(folder, start)[1], "1")
    with project({"a.py": crlf}) as folder:  # CRLF in the repository stays, also where autocrlf would take it away from new files
        for config in ("false", "true"):
            git("config", "core.autocrlf", config, cwd=folder)
            git("reset", "-q", "--hard", "main", cwd=folder)
            result = ungil("commit", "--branch", "x-" + config, cwd=folder)
            c.code(result, 1)
            stored = git("cat-file", "blob", "x-%s:a.py" % config, cwd=folder).raw
            c.equal(stored.count(b"\r\n"), stored.count(b"\n"))


def test_renormalize_refused(c):
    with project({"a.py": COUNTER.replace("\n", "\r\n")}) as folder:
        write_file(os.path.join(folder, ".gitattributes"), "*.py text\n")
        git("add", ".gitattributes", cwd=folder)
        git("commit", "-qm", "Say that it is text", cwd=folder)
        refused(c, folder, "a.py", "renormalize")


def test_filters(c):
    with project({"a.py": COUNTER, ".gitattributes": "*.py filter=scrub\n"}) as folder:
        c.code(ungil("commit", "--branch", "x", cwd=folder), 1)
        git("config", "filter.scrub.clean", "tr a-z A-Z", cwd=folder)
        refused(c, folder, "a.py", "filter 'scrub'")
    with project({"a.py": COUNTER}) as folder:
        write_file(os.path.join(folder, ".gitattributes"), "*.py working-tree-encoding=UTF-16\n")
        refused(c, folder, "a.py", "working-tree-encoding")


def test_ident(c):
    with project({"a.py": '"""$Id$"""\n' + COUNTER, ".gitattributes": "*.py ident\n"}) as folder:
        os.unlink(os.path.join(folder, "a.py"))
        git("checkout", "--", "a.py", cwd=folder)
        c.check(b"$Id: " in lib.read_file(os.path.join(folder, "a.py")))
        c.code(ungil("commit", cwd=folder), 1)
        c.check(git("cat-file", "blob", "HEAD:a.py", cwd=folder).raw.startswith(b'"""$Id$"""'))
        c.equal(git("status", "--porcelain", cwd=folder).out, "")


def test_symlink(c):
    with project({"real/a.py": COUNTER}, repository=False) as folder:
        os.symlink("real/a.py", os.path.join(folder, "b.py"))
        lib.git_start(folder)
        c.code(ungil("commit", cwd=folder), 1)
        c.has(git("ls-tree", "HEAD", "b.py", cwd=folder), "120000 blob")
        c.equal(git("status", "--porcelain", cwd=folder).out, "")


def test_hooks_and_moved_branch(c):
    with project() as folder:
        hook = os.path.join(folder, ".git/hooks/pre-commit")
        write_file(hook, "#!/bin/sh\nexit 1\n")
        os.chmod(hook, 0o755)
        c.code(ungil("commit", cwd=folder), 1)  # not run, as docs/usage.md says


# --- patches -----------------------------------------------------------------------------------------------------------------

def test_patches(c):
    """What git am makes of the patches is what ungil commit makes, to the byte of every file."""
    odd = {"with space/sta\u00fcts.py": COUNTER, "crlf.py": COUNTER.replace("\n", "\r\n"), "end.py": CACHE.rstrip("\n"),
           "tabs.py": CACHE.replace("    ", "\t"), "bom.py": "\ufeff" + COUNTER}
    for name in ("Ada Example", "\u00c5da \u4e16\u754c", "Ada B. Example, Jr."):
        with project({**PROJECT, **odd}) as folder, temporary() as other:
            git("config", "user.name", name, cwd=folder)
            before, start = lib.read_tree(folder), head(folder)
            objects = git("count-objects", "-v", cwd=folder).out
            result = ungil("commit", "--signoff", "--patches", os.path.join(other, "p"), cwd=folder)
            c.code(result, 1)
            c.equal(lib.read_tree(folder), before)
            c.equal(head(folder), start)
            c.equal(git("count-objects", "-v", cwd=folder).out, objects, "no object is left behind")
            names = sorted(os.listdir(os.path.join(other, "p")))
            c.equal([os.path.join(other, "p", n) for n in names], result.out.splitlines()[:len(names)])
            c.check(len(names) == 7 and names[0].startswith("0001-Guard-"), names)
            git("clone", "-q", folder, "clone", cwd=other)
            clone = os.path.join(other, "clone")
            applied = lib.execute(["git", "am", "-q"] + [os.path.join("..", "p", n) for n in names], cwd=clone)
            c.code(applied, 0)
            c.code(ungil("commit", "--signoff", cwd=folder), 1)
            for format in ("%T", "%B", "%an <%ae>"):
                c.equal(git("log", "--format=" + format, start + "..", cwd=clone).out, git("log", "--format=" + format, start + "..", cwd=folder).out)
            c.code(lib.execute(["git", "apply", "--check"] + [os.path.join("..", "p", names[0])], cwd=clone), 1)
            git("reset", "-q", "--hard", start, cwd=clone)
            c.code(lib.execute(["git", "apply", "--check", os.path.join("..", "p", names[0])], cwd=clone), 0)
            again = ungil("commit", "--patches", os.path.join(other, "p"), cwd=clone)
            c.code(again, 2)
            c.has(again, "patches already", stream="err")


def test_patches_long_series(c):
    """Ten and more: the numbers sort, git am takes the directory in order."""
    with project({"m%02d.py" % i: COUNTER for i in range(12)}) as folder, temporary() as other:
        c.code(ungil("commit", "--patches", other + "/p", cwd=folder), 1)
        mails = [lib.read_file(os.path.join(other, "p", n)).decode() for n in sorted(os.listdir(other + "/p"))]
        c.equal([re.search(r"\[PATCH (\d+)/12\]", m).group(1) for m in mails], ["%02d" % i for i in range(1, 13)])
        c.check(all(len(line) <= 78 for m in mails for line in m.split("\n\n")[0].split("\n")), mails[0])
        c.code(lib.execute(["sh", "-c", "git am -q %s/p/*.patch" % other], cwd=folder), 0)
        c.code(ungil("check", cwd=folder), 0)


# --- clones, fsck, bisect ----------------------------------------------------------------------------------------------------

def big(modules):
    """A program with one counter in each of so many modules, some with a cache too."""
    files = {"app/__init__.py": "", "test_app.py": ""}
    for i in range(modules):
        files["app/m%03d.py" % i] = BOTH if i % 4 == 0 else COUNTER
    return files


def test_bisect(c):
    """Two hundred decisions on a branch: every commit compiles, git finds nothing wrong with the objects, and bisect names the
    one commit that breaks a test."""
    guilty = "app/m117.py"
    test = ("import app.m117, sys\n"
            "names = {n for n in vars(app.m117) if not n.startswith('__')}\n"
            "sys.exit(names != {'threading', 'hits', 'hit', 'run'})\n")
    with project({**big(160), "test_app.py": test}) as folder, temporary() as other:
        git("clone", "-q", "--bare", folder, "server.git", cwd=other)
        git("clone", "-q", "server.git", "work", cwd=other)
        work = os.path.join(other, "work")
        start = head(work)
        before = lib.read_tree(work)
        result = ungil("commit", "--branch", "fixes", cwd=work, timeout=120)
        c.code(result, 1)
        made = commits(work, start, "fixes")
        c.equal(len(made), 200, result)
        c.equal(lib.read_tree(work), before)
        git("push", "-q", "origin", "fixes", cwd=work)
        for repository in (work, os.path.join(other, "server.git")):
            fsck = git("fsck", "--strict", cwd=repository, check=False)
            c.code(fsck, 0)
            c.check(not re.search("error|warning|missing", fsck.out + fsck.err), fsck)
        files = lib.read_tree(work)
        texts = git("log", "--reverse", "--format=commit %H", "--name-only", start + "..fixes", cwd=work).out.split("commit ")[1:]
        c.equal(len(texts), 200)
        bad = 0
        for entry in texts:
            commit, *names = entry.split()
            for name in names:
                files[name] = git("show", "%s:%s" % (commit, name), cwd=work).raw
                bad += bool(lib.compiles(files[name], name))
        c.equal(bad, 0, "commits that do not compile")
        git("bisect", "start", "fixes", start, cwd=work, check=False)
        run = lib.execute(["git", "bisect", "run", sys.executable, "-B", "test_app.py"], cwd=work, timeout=120)
        c.code(run, 0)
        found = re.search(r"([0-9a-f]{40}) is the first bad commit", run.out)
        c.check(found and changed_files(work, found.group(1)) == [guilty], run)
        c.check(found and guilty.replace("/", ".")[:-3] in message(work, found.group(1)), run)
        git("bisect", "reset", cwd=work, check=False)
        git("checkout", "-q", "fixes", cwd=work)
        c.code(ungil("check", cwd=work, timeout=120), 0)


def test_index_locked(c):
    """Another git process has the index, or left its lock: nothing is changed, and nothing is advised that would drop staged work."""
    with project() as folder:
        lock = os.path.join(folder, ".git/index.lock")
        write_file(lock, "")
        result = refused(c, folder, "index.lock exists", "nothing is changed")
        c.lacks(result, "reset", stream="err")
        c.code(ungil("commit", "--branch", "fixes", cwd=folder), 1)  # does without the index
        os.remove(lock)
        write_file(os.path.join(folder, "new.txt"), "staged\n")
        git("add", "new.txt", cwd=folder)
        c.code(ungil("commit", cwd=folder), 1)
        c.equal(git("status", "--porcelain", cwd=folder).out, "A  new.txt\n")
        c.equal([n for n in os.listdir(os.path.join(folder, ".git")) if n.startswith("index")], ["index"])


def test_branch_locked(c):
    """The branch cannot be moved: files and index are as they were."""
    with project() as folder:
        name = git("symbolic-ref", "--short", "HEAD", cwd=folder).out.strip()
        write_file(os.path.join(folder, ".git/refs/heads/%s.lock" % name), "")
        refused(c, folder, "cannot move the branch")
        c.equal([n for n in os.listdir(os.path.join(folder, ".git")) if n.startswith("index")], ["index"])


if __name__ == "__main__":
    suite = lib.Suite("commit")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
