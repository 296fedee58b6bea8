#!/usr/bin/env python3
"""`ungil review --post`: one driver, three services on the loopback interface (hosts.py), and everything that goes wrong with them."""
import contextlib
import json
import os
import re
import subprocess
import sys
import time

import hosts
import lib
from hosts import HOSTS, TOKEN
from lib import execute, git, temporary, ungil, write_file
from suite_review import BASE, IDLE, LOST, MAIN, START, STATS, commit, plain, repository

LINE = STATS.count("\n") + 5  # of the update in LOST
RACY = {"app/stats.py": STATS + LOST}
FIXED = {"app/stats.py": STATS + LOST.replace("hits += 1", "with _lock:\n        hits += 1")}
MARKER = re.compile(r"<!-- ungil:finding v1 (UG\d{3}) ([0-9a-f]{16}) -->$")


def head_of(folder, rev="change"):
    return git("rev-parse", rev, cwd=folder).out.strip()


def diff_of(folder, base="main", head="change"):
    return git("diff", "-M", "%s...%s" % (base, head), cwd=folder).out


@contextlib.contextmanager
def pull(service, after=None, before=None, **more):
    """(repository, host): a pull request of branch change."""
    with repository(before, RACY if after is None else after) as folder:
        with HOSTS[service](head_of(folder), diff_of(folder), **more) as host:
            yield folder, host


def push(folder, host, files, message="Next"):
    commit(folder, files, message)
    host.push(head_of(folder), diff_of(folder))


def post(folder, host, service, *args, env=None, base=("--base", "main", "--head", "change")):
    where = ("--api-url", host.url, "--repository", "ada/project", "--pr", "7")
    return ungil("review", "--jobs", "1", *base, "--post", service, *where, *args, cwd=folder,
                 env=plain(**({"UNGIL_TOKEN": TOKEN} if env is None else env)))


def open_ones(host):
    return [s for s in host.seen() if not s[3]]


def reviews_of(host):
    return [json.loads(raw) for m, p, raw in host.writes() if m == "POST" and p.endswith("/reviews")]


# --- the scenario --------------------------------------------------------------------------------------------------------------

def scenario(c, service):
    with pull(service) as (folder, host):
        host.forge("somebody wrote this")
        first = post(folder, host, service)
        c.code(first, 1)
        c.has(first, "1 comment posted")
        c.equal([(p, n) for p, n, body, done in host.seen() if "UG108" in body], [("app/stats.py", LINE)])
        body = [b for _, _, b, _ in host.seen() if "UG108" in b][0]
        c.check("hits" in body and "with _lock:" in body and MARKER.search(body), body)
        c.check("```suggestion" in body if service != "gitea" else "```diff" in body, body)
        c.equal(host.summaries(), [])

        count = len(host.writes())
        again = post(folder, host, service)
        c.code(again, 1)
        c.equal(len(host.writes()), count, again)

        push(folder, host, {"README": "Another text.\n", "app/more.py": "x = 1\n"})
        c.code(post(folder, host, service), 1)
        c.equal(len(host.writes()), count)

        push(folder, host, FIXED)
        fixed = post(folder, host, service)
        c.code(fixed, 0)
        c.has(fixed, "1 resolved")
        c.equal([s for s in open_ones(host) if "UG108" in s[2]], [])
        c.check("No longer found" in [b for _, _, b, _ in host.seen() if "UG108" in b][0])
        count = len(host.writes())
        c.code(post(folder, host, service), 0)
        c.equal(len(host.writes()), count)

        push(folder, host, RACY)
        back = post(folder, host, service)
        c.code(back, 1)
        mine = [s for s in host.seen() if "UG108" in s[2]]
        c.equal((len(mine), mine[0][3]), (1, False))
        c.check("No longer found" not in mine[0][2], mine[0][2])
        c.has(back, "1 reopened")

        at = [i for i, s in enumerate(host.seen()) if "UG108" in s[2]][0]
        host.close(at)
        count = len(host.writes())
        c.code(post(folder, host, service), 1)
        c.equal(len(host.writes()), count)
        push(folder, host, {"README": "Again.\n"})
        post(folder, host, service)
        c.equal(len(host.writes()), count)


def test_scenario_github(c):
    scenario(c, "github")


def test_scenario_gitlab(c):
    scenario(c, "gitlab")


def test_scenario_gitea(c):
    scenario(c, "gitea")


def test_silence(c):
    """Nothing new, nothing there: no request that changes anything."""
    for service in HOSTS:
        with pull(service, {"README": "Another text.\n"}) as (folder, host):
            result = post(folder, host, service)
            c.code(result, 0)
            c.equal(host.writes(), [])


# --- comments ------------------------------------------------------------------------------------------------------------------

def test_suggestion(c):
    """What a click makes is the whole fix: the file as `ungil fix` writes it."""
    with pull("github") as (folder, host):
        post(folder, host, "github")
        t = host.conversations[0]
        new = re.search(r"```suggestion\n(.*?)\n```", t["comments"][0]["body"], re.S).group(1).split("\n")
        lines = RACY["app/stats.py"].split("\n")
        first = t["startLine"] or t["line"]
        lines[first - 1:t["line"]] = new
        git("checkout", "-q", "change", cwd=folder)
        ungil("fix", cwd=folder)
        c.equal("\n".join(lines), lib.read_file(os.path.join(folder, "app/stats.py")).decode())


def test_patch_when_the_fix_is_elsewhere(c):
    """A fix that needs lines outside of the diff is never halved: the complete patch is shown."""
    far = "import threading\n\ntotal = 0\n" + "\n\ndef f():\n    pass\n" * 20
    racy = far + "\n\ndef add(n):\n    global total\n    total += n\n" + START
    for service in HOSTS:
        with pull(service, {"job.py": racy}, {"job.py": far}) as (folder, host):
            c.code(post(folder, host, service), 1)
            body = host.seen()[0][2]
            c.check("```suggestion" not in body, body)
            patch = re.search(r"```diff\n(.*?\n)```\n", body, re.S)
            if c.check(patch, body):
                c.code(execute(["git", "apply", "--check", "-"], cwd=folder, input=patch.group(1).encode()), 0)
                c.check("threading.Lock()" in patch.group(1) and "with " in patch.group(1))


def test_outdated(c):
    """When lines move, a comment stays; its suggestion may not: it would replace other lines."""
    with pull("github") as (folder, host):
        post(folder, host, "github")
        push(folder, host, {"app/stats.py": STATS + "\n\nlimit = 3\n" + LOST})
        post(folder, host, "github")
        c.equal([s[:2] for s in host.seen()], [("app/stats.py", LINE + 3)])
        c.check("```suggestion" in host.seen()[0][2])
        push(folder, host, {"app/stats.py": STATS + LOST.replace("hits += 1", "hits += 2")})
        result = post(folder, host, "github")
        c.code(result, 1)
        c.equal(len(host.seen()), 1)
        c.equal(host.seen()[0][1], None)
        c.check("```suggestion" not in host.seen()[0][2] and "```diff" in host.seen()[0][2], host.seen()[0][2])


def test_elsewhere(c):
    """A finding in a line that the diff does not show stands at the changed line that caused it."""
    main = "from app import idle\n\n\ndef work():\n    idle.add(1)\n"
    before = {"app/__init__.py": "", "app/idle.py": IDLE, "app/main.py": main}
    start = "import threading\n\n" + main + "\n\ndef run():\n    for _ in range(3):\n        threading.Thread(target=work).start()\n"
    for service in HOSTS:
        with pull(service, {"app/main.py": start}, before) as (folder, host):
            c.code(post(folder, host, service, "--min-confidence", "high"), 1)
            c.equal([s[:2] for s in host.seen()], [("app/main.py", start.count("\n"))])
            c.check("`app/idle.py:6`" in host.seen()[0][2], host.seen()[0][2])


def many(n):
    return {"app/many.py": "import threading\n\n" + "".join("n%d = 0\n" % i for i in range(n)) + "".join(
        "\n\ndef add%d():\n    global n%d\n    n%d += 1\n" % (i, i, i) for i in range(n)) + "\n\nfor _ in range(3):\n" + "".join(
        "    threading.Thread(target=add%d).start()\n" % i for i in range(n))}


def test_limit(c):
    """At most so many comments, one review, the rest in a summary; a second run adds nothing."""
    for service in HOSTS:
        with pull(service, many(7)) as (folder, host):
            result = post(folder, host, service, "--max-comments", "4")
            c.code(result, 1)
            c.equal(len(host.seen()), 4)
            c.equal(len(host.summaries()), 1)
            c.equal(host.summaries()[0].count("\n- "), 3)
            if service != "gitlab":
                c.equal(len(reviews_of(host)), 1)
            count = len(host.writes())
            post(folder, host, service, "--max-comments", "4")
            c.equal(len(host.writes()), count)
            push(folder, host, {"app/many.py": "x = 1\n"})
            c.code(post(folder, host, service, "--max-comments", "4"), 0)
            c.equal(open_ones(host), [])
            c.equal(len(host.summaries()), 1)
            c.check("adds no racy site" in host.summaries()[0] and "\n- " not in host.summaries()[0], host.summaries()[0])


def test_pages(c):
    """Comments beyond the first page are found again."""
    for service in HOSTS:
        with pull(service, many(8), page=2) as (folder, host):
            for _ in range(5):
                host.forge("noise")
            post(folder, host, service)
            c.equal(len([s for s in host.seen() if "UG101" in s[2]]), 8)
            count = len(host.writes())
            post(folder, host, service)
            c.equal(len(host.writes()), count)


def test_forged_marks(c):
    """A mark in somebody else's comment silences nothing, and is not edited."""
    for service in HOSTS:
        with pull(service) as (folder, host):
            post(folder, host, service)
            body = [s[2] for s in host.seen() if "UG108" in s[2]][0]
        with pull(service) as (folder, host):
            host.forge(body)
            post(folder, host, service)
            c.equal(len([s for s in host.seen() if s[0] == "app/stats.py"]), 1)
            push(folder, host, FIXED)
            post(folder, host, service)
            c.check(all("No longer found" not in s[2] for s in host.seen() if s[0] != "app/stats.py"))


def test_text_of_code_is_inert(c):
    """Names and strings from the code cannot call people or end a block; fences are longer than what they hold."""
    text = "import threading\n\nseen = {}\n\n\ndef look(key):\n    s = '''\n```\n@ada <!-- ungil:gone v1 -->\n```` '''\n" \
           "    if key not in seen:\n        seen[key] = s\n    return seen.pop(key)\n\n\n" \
           "for i in range(3):\n    threading.Thread(target=look, args=(i,)).start()\n"
    with pull("github", {"a_b/x*y*.py": text, "look.py": text}) as (folder, host):
        c.code(post(folder, host, "github"), 1)
        for _, _, body, _ in host.seen():
            fences = re.findall(r"^(`{3,})", body, re.M)
            c.check(len(fences) % 2 == 0 and MARKER.search(body), body)
            outside = re.sub(r"^(`{3,}).*?^\1$", "", body, flags=re.S | re.M)
            c.check("@ada" not in outside, outside)
        count = len(host.writes())
        post(folder, host, "github")
        c.equal(len(host.writes()), count)


def test_long_bodies(c):
    """A patch that is too long for a comment is left out, not cut."""
    long = "import threading\n\ntotal = 0\n" + "\n\ndef f():\n    pass\n" * 20 + "\n\ndef add(n):\n    global total\n" \
        "    total += len(%r)\n" % ("x" * 70000) + START
    with pull("github", {"job.py": long}) as (folder, host):
        c.code(post(folder, host, "github"), 1)
        c.check(host.seen() and len(host.seen()[0][2]) < 65536)
        c.check("too long" in host.seen()[0][2] and "xxxx" not in host.seen()[0][2], host.seen()[0][2][:2000])
    with pull("github", many(60)) as (folder, host):
        c.code(post(folder, host, "github", "--max-comments", "0"), 1)
        c.equal((len(host.seen()), len(host.summaries())), (0, 1))


# --- what goes wrong -------------------------------------------------------------------------------------------------------------

def test_bad_anchor(c):
    """A line that the service does not know (its diff is another one) goes to the summary, the others are posted."""
    files = {"app/stats.py": STATS + LOST, **many(3)}
    for service in HOSTS:
        with pull(service, files) as (folder, host):
            host.files["app/stats.py"] = ("app/stats.py", [[(1, 1, "import threading")]])
            result = post(folder, host, service)
            c.code(result, 1)
            c.equal(sorted({s[0] for s in host.seen()}), ["app/many.py"])
            c.equal(len(host.seen()), 3)
            c.equal(len(host.summaries()), 1)
            c.check("`app/stats.py:%d`" % LINE in host.summaries()[0], host.summaries()[0])
            if service == "github":
                c.equal(len(host.reviews), 1)
            if service == "gitea":
                c.equal([r["state"] for r in host.reviews if r["state"] == "PENDING"], [])


def test_bad_anchor_that_the_diff_shows(c):
    """GitHub refuses although its own list of files shows the line: one by one."""
    with pull("github", {"app/stats.py": STATS + LOST, **many(3)}) as (folder, host):
        refuse = ("POST", "/reviews", "status", 422, {}, {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]})
        host.faults = [refuse]
        c.code(post(folder, host, "github"), 1)
        c.equal(len(host.seen()), 4)
        count = len(host.writes())
        post(folder, host, "github")
        c.equal(len(host.writes()), count)


def test_hunk_of_one_line(c):
    """The diff of a file of one line says "@@ -1 +1 @@", without counts."""
    after = "import threading; hits = []; work = lambda: hits and hits.pop(); threading.Thread(target=work).start(); work()\n"
    with pull("github", {"one.py": after}, {**BASE, "one.py": "import threading\n"}) as (folder, host):
        host.faults = [("POST", "/reviews", "status", 422, {}, {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]})]
        result = post(folder, host, "github")
        c.has(result, "1 comment posted")
        c.equal([s[:2] for s in host.seen()], [("one.py", 1)], result)


def test_limits_of_the_service(c):
    """Retry-After is waited for; a limit that lasts too long ends the run with a sentence."""
    limit = {"message": "You have exceeded a secondary rate limit"}
    for service, where in (("github", "/reviews"), ("gitlab", "/discussions"), ("gitea", "/reviews")):
        with pull(service) as (folder, host):
            host.faults = [("POST", where, "status", 403 if service == "github" else 429, {"Retry-After": "1"}, limit)]
            start = time.monotonic()
            result = post(folder, host, service)
            c.code(result, 1)
            c.check(time.monotonic() - start > 0.9)
            c.has(result, "waiting 1 s", stream="err")
            c.equal(len(host.seen()), 1)
    with pull("github") as (folder, host):
        host.faults = [("POST", "/reviews", "status", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 2)}, limit)]
        c.code(post(folder, host, "github"), 1)
        c.equal(len(host.seen()), 1)
    with pull("github") as (folder, host):
        host.faults = [("POST", "/reviews", "status", 429, {"Retry-After": "4000"}, limit)]
        result = post(folder, host, "github")
        c.code(result, 2)
        c.has(result, "4000 seconds", stream="err")


def test_broken_connections(c):
    """Cut before or after the service acted, slow, or failing: everything is posted, nothing twice."""
    places = {"github": [("POST", "/reviews"), ("POST", "/graphql")],
              "gitlab": [("POST", "/discussions"), ("GET", "/discussions"), ("GET", "/versions")],
              "gitea": [("POST", "/reviews"), ("GET", "/reviews"), ("GET", "/user")]}
    for service in HOSTS:
        for method, where in places[service]:
            for action in (("cut",), ("refuse",), ("slow", 0.5), ("status", 502, {}, {"message": "Bad gateway"})):
                with pull(service, many(3)) as (folder, host):
                    host.faults = [(method, where) + action]
                    result = post(folder, host, service)
                    c.code(result, 1)
                    c.equal(len(host.seen()), 3, "%s %s %s %s\n%s" % (service, method, where, action, result))
                    c.equal(len({s[2] for s in host.seen()}), 3)
    for service in HOSTS:  # the summary
        for action in ("cut", "refuse"):
            with pull(service, many(2)) as (folder, host):
                host.faults = [("POST", "/notes" if service == "gitlab" else "/issues/", action)]
                result = post(folder, host, service, "--max-comments", "0")
                c.code(result, 1)
                c.equal(len(host.summaries()), 1, result)
    with pull("github") as (folder, host):
        host.faults = [("POST", "/reviews", "slow", 30 * lib.SLOW)]
        result = post(folder, host, "github", env={"UNGIL_TOKEN": TOKEN, "UNGIL_HTTP_TIMEOUT": str(3 * lib.SLOW)})
        c.check(result.code in (1, 2), result)
    with pull("github") as (folder, host):
        host.faults = [("POST", "/graphql", "status", 500, {}, None)] * 9
        result = post(folder, host, "github")
        c.code(result, 2)
        c.equal(host.seen(), [])
    with repository(after=RACY) as folder:
        result = ungil("review", "--base", "main", "--post", "gitea", "--api-url", "http://127.0.0.1:9/api/v1", "--repository", "a/b",
                       "--pr", "1", cwd=folder, env=plain(UNGIL_TOKEN="x"))
        c.code(result, 2)
        c.has(result, "127.0.0.1:9", stream="err")


def test_left_behind(c):
    """Gitea: the pending review of a run that was cut off is cleared away; a person's own is left alone."""
    with pull("gitea", many(2)) as (folder, host):
        post(folder, host, "gitea")
        host.reviews[0]["state"] = "PENDING"
        host.reviews.append({"id": 999, "state": "PENDING", "body": "", "login": host.me, "comments": [
            {"id": 998, "body": "a thought of mine", "path": "x.py", "position": 1, "resolver": None, "user": {"login": host.me}}]})
        post(folder, host, "gitea")
        c.equal(sorted(r["state"] for r in host.reviews), ["COMMENT", "PENDING"])
        c.equal(len([s for s in host.seen() if "UG101" in s[2]]), 2)


def test_unreadable_is_not_gone(c):
    for service in HOSTS:
        with pull(service) as (folder, host):
            post(folder, host, service)
            count = len(host.writes())
            push(folder, host, {"app/stats.py": b"# \xff\n" + STATS.encode()})
            c.code(post(folder, host, service), 0)
            c.equal(len(host.writes()), count)


def test_no_right_to_resolve(c):
    """Then the text of the comment says that the finding is gone."""
    for service in HOSTS:
        with pull(service) as (folder, host):
            post(folder, host, service)
            host.denied.add("resolve")
            host.can_resolve = False
            push(folder, host, FIXED)
            c.code(post(folder, host, service), 0)
            c.check("No longer found" in host.seen()[0][2])
            c.equal(host.seen()[0][3], False)
            count = len(host.writes())
            c.code(post(folder, host, service), 0)
            c.equal(len(host.writes()), count)


def test_no_right_to_write(c):
    for service in HOSTS:
        with pull(service) as (folder, host):
            host.denied.add("write")
            result = post(folder, host, service)
            c.code(result, 2)
            c.has(result, "403", "--from", stream="err")
            c.equal(host.seen(), [])


def test_another_head(c):
    """The pull request went on while the review ran: nothing is posted to the wrong commit."""
    for service in HOSTS:
        with pull(service) as (folder, host):
            host.head = "e" * 40
            result = post(folder, host, service)
            c.code(result, 2)
            c.has(result, "e" * 12, head_of(folder)[:12], stream="err")
            c.equal(host.writes(), [])


# --- tokens ----------------------------------------------------------------------------------------------------------------------

def test_tokens(c):
    names = {"github": ("GITHUB_TOKEN", "GH_TOKEN"), "gitlab": ("GITLAB_TOKEN",), "gitea": ("GITEA_TOKEN", "FORGEJO_TOKEN")}
    for service in HOSTS:
        for name in names[service]:
            with pull(service) as (folder, host):
                result = post(folder, host, service, env={name: TOKEN})
                c.code(result, 1)
                c.lacks(result, TOKEN, stream="both")
        with pull(service) as (folder, host):
            result = post(folder, host, service, env={})
            c.code(result, 2)
            c.has(result, names[service][0], "--token-file", stream="err")
            wrong = post(folder, host, service, "-v", env={"UNGIL_TOKEN": "wrong-" + TOKEN})
            c.code(wrong, 2)
            c.has(wrong, "401", stream="err")
            c.lacks(wrong, TOKEN, stream="both")
    with pull("github") as (folder, host), temporary() as other:
        path = os.path.join(other, "token")
        write_file(path, TOKEN + "\n")
        c.code(post(folder, host, "github", "--token-file", path, env={"GITHUB_TOKEN": "another"}), 1)
        write_file(path, "two words\n")
        result = post(folder, host, "github", "--token-file", path, env={})
        c.code(result, 2)
        c.lacks(result, "two words", stream="both")
        write_file(path, "")
        c.code(post(folder, host, "github", "--token-file", path, env={}), 2)
        c.code(post(folder, host, "github", "--token-file", path + "x", env={}), 2)
    with pull("github") as (folder, host):  # a service that repeats the token in its answer
        host.faults = [("POST", "/graphql", "status", 400, {}, {"message": "bad token " + TOKEN})]
        result = post(folder, host, "github")
        c.code(result, 2)
        c.lacks(result, TOKEN, stream="both")
    with pull("gitlab", many(8), page=2) as (folder, host):  # the next page is not another server
        host.faults = [("GET", "/discussions", "status", 200, {"Link": '<http://127.0.0.1:9/steal>; rel="next"'}, [])]
        result = post(folder, host, "gitlab")
        c.code(result, 2)
        c.has(result, "another server", stream="err")


def test_addresses(c):
    with repository(after=RACY) as folder:
        for service, args, word in (
                ("gitea", ["--repository", "a/b", "--pr", "1"], "--api-url"), ("github", ["--pr", "1"], "--repository"),
                ("github", ["--repository", "a/b"], "--pr"), ("github", ["--repository", "ab", "--pr", "1"], "owner/name"),
                ("github", ["--repository", "a/b", "--pr", "1", "--api-url", "ftp://x"], "https://"),
                ("github", ["--repository", "a/b", "--pr", "1", "--api-url", "https://u:p@x"], "password")):
            result = ungil("review", "--base", "main", "--post", service, *args, cwd=folder, env=plain(UNGIL_TOKEN="x"))
            c.code(result, 2)
            c.has(result, word, stream="err")


def test_ci_defaults(c):
    """Everything from the environment of the CI system."""
    with pull("github") as (folder, host), temporary() as other:
        event = os.path.join(other, "event.json")
        write_file(event, json.dumps({"pull_request": {"number": 7, "base": {"sha": head_of(folder, "main")}, "head": {"sha": head_of(folder)}}}))
        result = ungil("review", "--post", "github", cwd=folder, env=plain(
            GITHUB_EVENT_PATH=event, GITHUB_REPOSITORY="ada/project", GITHUB_API_URL=host.url, GITHUB_TOKEN=TOKEN))
        c.code(result, 1)
        c.equal(len(host.seen()), 1)
    with pull("gitlab") as (folder, host):
        result = ungil("review", "--post", "gitlab", cwd=folder, env=plain(
            GITLAB_CI="true", CI_MERGE_REQUEST_DIFF_BASE_SHA=head_of(folder, "main"), CI_COMMIT_SHA=head_of(folder),
            CI_MERGE_REQUEST_IID="7", CI_PROJECT_ID="ada/project", CI_API_V4_URL=host.url, GITLAB_TOKEN=TOKEN))
        c.code(result, 1)
        c.equal(len(host.seen()), 1)


# --- two jobs --------------------------------------------------------------------------------------------------------------------

def artifact(folder, other):
    path = os.path.join(other, "review.json")
    ungil("review", "--base", "main", "--head", "change", "--format", "json", "-o", path, cwd=folder, env=plain())
    return path, json.loads(lib.read_file(path))


def post_from(other, host, service, path, *args, **env):
    return ungil("review", "--post", service, "--from", path, "--api-url", host.url, "--repository", "ada/project", *args, cwd=other,
                 env=plain(UNGIL_TOKEN=TOKEN, **env))


def test_from(c):
    """The second job has neither the repository nor any trust in the file."""
    for service in HOSTS:
        with pull(service) as (folder, host), temporary() as other:
            path, _ = artifact(folder, other)
            result = post_from(other, host, service, path, "--pr", "7")
            c.code(result, 1)
            c.equal([s[:2] for s in host.seen()], [("app/stats.py", LINE)])
            c.check("```suggestion" not in host.seen()[0][2] and "```diff" in host.seen()[0][2], host.seen()[0][2])
            count = len(host.writes())
            post_from(other, host, service, path, "--pr", "7")
            c.equal(len(host.writes()), count)
    with pull("github") as (folder, host), temporary() as other:
        path, _ = artifact(folder, other)
        event = os.path.join(other, "event.json")
        write_file(event, json.dumps({"workflow_run": {"head_branch": "change", "head_sha": "x",
                                                       "head_repository": {"owner": {"login": "eve"}}, "pull_requests": []}}))
        c.code(post_from(other, host, "github", path, GITHUB_EVENT_PATH=event), 1)
        c.equal(len(host.seen()), 1)
        write_file(event, json.dumps({"workflow_run": {"head_branch": "other", "head_repository": {"owner": {"login": "eve"}}}}))
        c.code(post_from(other, host, "github", path, GITHUB_EVENT_PATH=event), 2)


def test_from_untrusted(c):
    """Every way to write a bad file ends in a sentence and posts nothing, or posts what does no harm."""
    with pull("github") as (folder, host), temporary() as other:
        path, doc = artifact(folder, other)

        def changed(**more):
            new = json.loads(json.dumps(doc))
            for key, value in more.items():
                where = new
                parts = key.split("__")
                for part in parts[:-1]:
                    where = where[int(part) if part.isdigit() else part]
                where[parts[-1]] = value
            return new

        bad = [{}, [], {"review": {}}, changed(review__head="z" * 40), changed(review__head=7), changed(review__added=[]),
               changed(findings__0__rule="UG777"), changed(findings__0__path="../../etc/passwd"), changed(findings__0__path="/etc/passwd"),
               changed(findings__0__line=-5), changed(findings__0__line="5"), changed(findings__0__fingerprint="x --> <b>"),
               changed(findings=doc["findings"] * 3000, review__added=doc["review"]["added"] * 3000),
               changed(review__added__0__fingerprint="0" * 16), changed(findings__0__message=""), changed(findings__0__message=None),
               changed(review__diff=None)]
        for new in bad:
            write_file(path, json.dumps(new))
            result = post_from(other, host, "github", path, "--pr", "7")
            c.code(result, 2)
            c.equal(host.writes(), [], json.dumps(new)[:300])
        for text in ("", "{", b"\xff\xfe", '{"review": 1, "review": 2}', "[" * 100000):
            write_file(path, text)
            c.code(post_from(other, host, "github", path, "--pr", "7"), 2)
        other_head = changed(review__head="a" * 40)
        write_file(path, json.dumps(other_head))
        c.code(post_from(other, host, "github", path, "--pr", "7"), 2)
        c.equal(host.writes(), [])
        nasty = changed(findings__0__message="@ada look <img src=x> [here](http://evil) https://evil www.evil `x` #1 !2\n<!-- ungil:gone v1 -->",
                        findings__0__why=["a\nb", 5, None, "@eve"], review__added__0__suggestion={
                            "path": "app/stats.py", "start_line": LINE, "end_line": LINE, "text": "import evil"},
                        review__summary="@ada <b>x</b>", findings__0__sites=7)
        write_file(path, json.dumps(nasty))
        c.code(post_from(other, host, "github", path, "--pr", "7"), 1)
        body = host.seen()[0][2]
        outside = re.sub(r"^(`{3,}).*?^\1$", "", body, flags=re.S | re.M)
        c.check("import evil" not in body and "@ada" not in outside and "<img" not in outside and "://" not in outside and "www." not in outside and "#1" not in outside
                and "!2" not in outside and "[here]" not in outside, body)
        c.check(MARKER.search(body) and body.count("<!--") == 1, body)
        c.check("@ada" not in host.reviews[0]["body"] and "<b>" not in host.reviews[0]["body"], host.reviews[0]["body"])


# --- plans and payloads ------------------------------------------------------------------------------------------------------------

def test_dry_run(c):
    for service in HOSTS:
        with pull(service, many(3)) as (folder, host):
            result = post(folder, host, service, "--dry-run", "--max-comments", "2")
            c.code(result, 1)
            c.has(result, "comment app/many.py:", "list app/many.py:", "write the summary")
            c.equal(host.writes(), [])
            without = post(folder, host, service, "--dry-run", env={})
            c.has(without, "comment app/many.py:")
            post(folder, host, service)
            push(folder, host, {"app/many.py": "x = 1\n"})
            count = len(host.writes())
            c.has(post(folder, host, service, "--dry-run"), "resolve")
            c.equal(len(host.writes()), count)
            post(folder, host, service)
            push(folder, host, many(3))
            c.has(post(folder, host, service, "--dry-run"), "reopen app/many.py:")


def schema_of(api, method, path):
    """The request schema of the operation in an OpenAPI document that the path fits."""
    for template, methods in api["paths"].items():
        if re.fullmatch(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template)), path) and method.lower() in methods:
            return methods[method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    return None


try:
    TOOLS = subprocess.run([os.path.join(lib.TESTS, "validators.sh")], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
except subprocess.CalledProcessError:
    TOOLS = "/nonexistent"
SCHEMAS = os.path.join(TOOLS, "schemas")
KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}


def violations(schema, value, where="body"):
    """What is wrong with a value, by the parts of JSON Schema that request schemas use. Unknown properties count: they are typing errors."""
    kind = schema.get("type")
    if kind and not isinstance(value, KINDS[kind]):
        return ["%s is no %s" % (where, kind)]
    out = ["%s: %r is none of %s" % (where, value, schema["enum"])] if "enum" in schema and value not in schema["enum"] else []
    if isinstance(value, dict) and "properties" in schema:
        out += ["%s lacks %s" % (where, k) for k in schema.get("required", []) if k not in value]
        for k, v in value.items():
            if k not in schema["properties"]:
                out.append("%s: there is no property %s" % (where, k))
            else:
                out += violations(schema["properties"][k], v, where + "." + k)
    if isinstance(value, list):
        for i, v in enumerate(value):
            out += violations(schema.get("items", {}), v, "%s[%d]" % (where, i))
    return out


def test_published_schemas(c):
    """Every body that was sent to GitHub fits its published OpenAPI document; queries name only what its GraphQL schema has."""
    path = os.path.join(SCHEMAS, "node_modules/@octokit/openapi/generated/api.github.com.json")
    if not os.path.exists(path):
        return c.skip("GitHub's schemas are not there: tests/validators.sh --build fetches them")
    api = json.loads(lib.read_file(path))
    sent, asked = [], []
    with pull("github", {**RACY, **many(4)}) as (repo, host):
        post(repo, host, "github", "--max-comments", "3")
        push(repo, host, FIXED)
        post(repo, host, "github", "--max-comments", "3")
        sent += host.writes()
        asked += host.requests
    with pull("github") as (repo, host):
        post(repo, host, "github")
        for files in (FIXED, RACY):
            push(repo, host, files)
            post(repo, host, "github")
        asked += host.requests
    with pull("github", {**RACY, **many(2)}) as (repo, host):
        host.faults = [("POST", "/reviews", "status", 422, {}, {"message": "x"})]
        post(repo, host, "github")
        sent += host.writes()
    checked = set()
    for method, where, raw in sent:
        if where == "/graphql":
            continue
        schema = schema_of(api, method, where)
        if c.check(schema, "%s %s is no operation of the API" % (method, where)):
            c.equal(violations(schema, json.loads(raw)), [], "%s %s" % (method, where))
            checked.add((method, where.rsplit("/", 1)[-1] if not where[-1].isdigit() else "id"))
    c.check({("POST", "reviews"), ("POST", "comments")} <= checked, checked)
    c.check(violations(schema_of(api, "POST", "/repos/a/b/pulls/1/reviews"), {"commit_id": 5, "comments": [{"lines": 3}]}))
    queries = sorted({json.loads(raw)["query"] for _, where, _, raw, _ in asked if where == "/graphql"})
    c.check(sum("mutation" in q for q in queries) == 4 and len(queries) == 6, queries)
    program = "const g = require('graphql'), fs = require('fs');" \
        "const s = g.buildSchema(fs.readFileSync('node_modules/@octokit/graphql-schema/schema.graphql', 'utf8'), {assumeValidSDL: true});" \
        "for (const q of JSON.parse(fs.readFileSync(0))) for (const e of g.validate(s, g.parse(q))) console.log(e.message);"
    result = execute(["node", "-e", program], cwd=SCHEMAS, input=json.dumps(queries).encode(), env=dict(os.environ))
    c.equal((result.code, result.out), (0, ""), result)
    wrong = execute(["node", "-e", program], cwd=SCHEMAS, input=b'["{viewer{logon}}"]', env=dict(os.environ))
    c.has(wrong, "logon")


if __name__ == "__main__":
    suite = lib.Suite("post")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
