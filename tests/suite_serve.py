#!/usr/bin/env python3
"""`ungil serve`, the review bot: deliveries good and bad over loopback, the queue on disk, fetching from a real git server, and
what happens when processes are killed. In place of the review runs a script that writes down how it was called."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import sys
import threading
import time

import hosts
import lib
import suite_review
import webhooks
from webhooks import SECRET, TOKEN, Bot, GitServer, Repository, headers_for, payload, raw, until

A, B = "a" * 40, "b" * 40

# Writes "start PID NUMBER HEAD BASE SERVICE", does what a file `mode` says (sleep, wait for a file, die), and writes "end PID NUMBER HEAD".
REVIEWER = '''#!/bin/sh
log=%(folder)s/calls
printf '%%s\\n' "$*" >>%(folder)s/arguments
pwd >>%(folder)s/folders
env | sort >%(folder)s/environment
cat /proc/self/oom_score_adj >%(folder)s/oom
number=0 head= base= service=
while [ $# -gt 0 ]; do
    case $1 in
    --pr) number=$2 ;;
    --head) head=$2 ;;
    --base) base=$2 ;;
    --post) service=$2 ;;
    esac
    shift
done
echo "start $$ $number $head $base $service" >>$log
mode=$(cat %(folder)s/mode.$number %(folder)s/mode 2>/dev/null | head -n 1)
case $mode in
sleep*) sleep ${mode#sleep } ;;
wait) while [ ! -e %(folder)s/go ]; do sleep 0.05; done ;;
crash) echo "dying with the token $GITHUB_TOKEN"; kill -SEGV $$ ;;
fail) echo "cannot post: the service is away" >&2; exit 2 ;;
children) sleep 300 & echo "child $!" >>$log; sleep 300 ;;
esac
echo "end $$ $number $head" >>$log
exit 1
'''


class World:
    """A folder with a git server, a repository and a stand-in for the review."""

    def __init__(self, folder, **more):
        self.folder = folder
        self.repository = Repository(folder, **more)
        self.server = GitServer(os.path.join(folder, "git"))
        self.reviewer = os.path.join(folder, "reviewer")
        lib.write_file(self.reviewer, REVIEWER % {"folder": folder})
        os.chmod(self.reviewer, 0o755)
        self.services = ",".join("%s=%s" % (s, self.server.url) for s in ("github", "gitlab", "gitea"))

    def bot(self, *options, **more):
        more.setdefault("services", self.services)
        more.setdefault("reviewer", self.reviewer)
        return Bot(self.folder, *options, **more)

    def mode(self, text, number=None):
        lib.write_file(os.path.join(self.folder, "mode.%d" % number if number else "mode"), text + "\n")

    def go(self):
        lib.write_file(os.path.join(self.folder, "go"), "")

    def calls(self, word="start"):
        with contextlib.suppress(FileNotFoundError):
            return [line.split() for line in lib.read_file(os.path.join(self.folder, "calls")).decode().splitlines() if line.startswith(word + " ")]
        return []

    def text(self, name):
        return lib.read_file(os.path.join(self.folder, name)).decode()


def alive(pid):
    """Does the process run? One that only waits for its parent to take note does not."""
    with contextlib.suppress(OSError):
        return lib.read_file("/proc/%s/stat" % pid).rsplit(b") ")[-1][:1] != b"Z"
    return False


@contextlib.contextmanager
def world(**more):
    with lib.temporary("ungil-serve-") as folder:
        w = World(folder, **more)
        try:
            yield w
        finally:
            w.server.close()


@contextlib.contextmanager
def receiver(*options, services="github,gitlab,gitea=https://git.example.org", **more):
    """A bot that only receives."""
    with lib.temporary("ungil-serve-") as folder, Bot(folder, "--workers", "0", *options, services=services, **more) as bot:
        yield bot


# --- Who may deliver --------------------------------------------------------------------------------------------------------

def test_signed(t):
    with receiver() as bot:
        for number, service in enumerate(("github", "gitlab", "gitea"), 1):
            t.equal(bot.open(service, number, A), 202, bot.log())
        t.equal([(j["service"], j["number"], j["repository"], j["head"], j["base"]) for j in bot.jobs()],
                [(s, n, "acme/shop", A, "main") for n, s in enumerate(("github", "gitlab", "gitea"), 1)])
        for service in ("github", "gitlab", "gitea"):
            ping = bot.deliver(service, b'{"zen": "Keep it simple"}', event="ping")
            t.equal(ping.status, 200, ping)


def test_not_signed(t):
    body = payload("github", 1, A)
    good = headers_for("github", body)["X-Hub-Signature-256"]
    with receiver() as bot:
        for service in ("github", "gitlab", "gitea"):
            t.equal(bot.request("POST", "/" + service, body, {"Content-Type": "application/json"}).status, 401)
            t.equal(bot.deliver(service, body, secret="another-secret-entirely").status, 401)
            t.equal(bot.deliver(service, body, secret=SECRET + "x").status, 401)
            t.equal(bot.deliver(service, body, secret=SECRET[:-1]).status, 401)
        for wrong in ("", "sha256=", "sha256=" + "0" * 64, good[:-1], good + "0", good[7:], "sha1=" + good[7:47], good[:-1] + "g", "\xe9" * 71):
            got = bot.request("POST", "/github", body, {**headers_for("github", body), "X-Hub-Signature-256": wrong})
            t.equal(got.status, 401, "%r: %s" % (wrong, got))
        t.equal(bot.request("POST", "/github", body[:-1] + b" ", headers_for("github", body)).status, 401)
        # A proof for one service is none for another.
        t.equal(bot.request("POST", "/gitlab", body, headers_for("github", body)).status, 401)
        t.equal(bot.request("POST", "/gitea", body, headers_for("github", body)).status, 401)
        t.equal(bot.jobs(), [])
        # The right one still passes, in capitals too.
        t.equal(bot.request("POST", "/github", body, {**headers_for("github", body), "X-Hub-Signature-256": "sha256=" + good[7:].upper()}).status, 202)


def standard(body, key, id="msg_1", at=None):
    at = str(int(time.time()) if at is None else at)
    mac = hmac.new(key, b"%s.%s." % (id.encode(), at.encode()) + body, hashlib.sha256).digest()
    return {"Content-Type": "application/json", "X-Gitlab-Event": "Merge Request Hook", "webhook-id": id, "webhook-timestamp": at,
            "webhook-signature": "v1,AAAA v1," + base64.b64encode(mac).decode()}


def test_standard_signature(t):
    key = bytes(range(32))
    secret = "whsec_" + base64.b64encode(key).decode()
    body = payload("gitlab", 3, A)
    with receiver(env={"UNGIL_WEBHOOK_SECRET": SECRET + "\n" + secret}) as bot:
        for head in (standard(body, key[1:]), standard(body, key, at=time.time() - 3600), standard(body, key, at="1x"),
                     {**standard(body, key), "webhook-id": "msg_2"}, {**standard(body, key), "webhook-signature": "v1,"},
                     {**standard(body, key), "webhook-signature": "v1," + "A" * 4000}, {"X-Gitlab-Token": secret}):
            t.equal(bot.request("POST", "/gitlab", body, head).status, 401, head)
        t.equal(bot.request("POST", "/gitlab", body, standard(body, key)).status, 202, bot.log())
        t.equal(bot.open("gitlab", 4, A), 202)  # the other secret, as a token


def test_bad_requests(t):
    with receiver("--repositories", "acme/*,tools/lint") as bot:
        for body in (b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{" * 5000, b'{"a": 1, "a": 2}', b"{}", b'{"action": 7}', b'{"action": "opened"}',
                     payload("github", 0, A), payload("github", -1, A), payload("github", 2 ** 40, A), payload("github", "1", A),
                     payload("github", 1, "HEAD"), payload("github", 1, A[:-1]), payload("github", 1, "-" + A[1:]), payload("github", 1, A, base="../x"),
                     payload("github", 1, A, base="a b"), payload("github", 1, A, base="-x\n"), payload("github", 1, A, base=""),
                     payload("github", 1, A, base="x.lock"), payload("github", 1, A, base="m" * 5000), payload("github", 1, A, repository="acme"),
                     payload("github", 1, A, repository="acme/../x"), payload("github", 1, A, repository="/acme/x"), payload("github", 1, A, repository="acme/x;y"),
                     payload("github", 1, A, repository="acme/" + "x" * 400), payload("github", 1, A, repository="a/b\\u0000c")):
            got = bot.deliver("github", body)
            t.equal(got.status, 400, "%r: %s" % (body[:80], got))
        body = payload("github", 1, A)
        t.equal(bot.deliver("github", body, type="application/x-www-form-urlencoded").status, 415)
        t.equal(bot.deliver("github", body, type="").status, 415)
        t.equal(bot.open("github", 1, A, repository="other/shop"), 403)
        t.equal(bot.deliver("github", body, path="/").status, 404)
        t.equal(bot.deliver("github", body, path="/github/x").status, 404)
        t.equal(bot.request("GET", "/github").status, 405)
        t.equal(bot.request("DELETE", "/github").status, 405)
        t.equal(bot.request("GET", "/").status, 404)
        t.equal(bot.request("POST", "/healthz", b"x").status, 404)
        t.equal(bot.jobs(), [])
        for ignored in (payload("github", 1, A, action="labeled"), payload("github", 1, A, action="edited"), payload("github", 1, A, draft=True)):
            t.equal(bot.deliver("github", ignored).status, 200)
        t.equal(bot.deliver("github", body, event="push").status, 200)
        t.equal(bot.jobs(), [])
        t.equal(bot.deliver("github", payload("github", 1, A, action="edited", changes={"base": {"ref": {"from": "old"}}}), type="Application/JSON; charset=utf-8").status, 202)
        t.equal(bot.open("github", 2, A, repository="tools/lint"), 202)


def test_too_large(t):
    with receiver("--max-body", "64") as bot:
        fits = payload("github", 1, A, padding="x" * 60000)
        t.equal(bot.deliver("github", fits).status, 202, bot.log())
        for size in (70_000, 1_000_000, 8_000_000):
            body = payload("github", 2, A, padding="x" * size)
            t.equal(bot.deliver("github", body).status, 413)
            head = headers_for("github", body)
            got = bot.request("POST", "/github", (body[i:i + 50_000] for i in range(0, len(body), 50_000)), head)  # in chunks
            t.equal(got.status, 413, "chunked: %s" % got)
        # Nobody may keep it reading: it hangs up.
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", bot.port), timeout=30 * lib.SLOW) as s:
            s.sendall(b"POST /github HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nX-Hub-Signature-256: sha256=00\r\n\r\n")
            for _ in range(2000):
                s.sendall(b"x" * 100_000)
            t.check(False, "it read 200 MB")
        t.check(b" 4" in raw(bot.port, b"POST /github HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n")[:16], "a head without end")
        t.equal(bot.request("GET", "/healthz").status, 200)
        t.equal(len(bot.jobs()), 1)


def test_slow(t):
    with receiver("--request-time", "2") as bot:
        start = time.monotonic()
        waits = []

        def drip(first, more):
            begun = time.monotonic()
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", bot.port), timeout=30) as s:
                s.sendall(first)
                while time.monotonic() < begun + 20:
                    s.sendall(more)
                    s.settimeout(0.2)
                    try:
                        if not s.recv(1000):
                            break
                    except socket.timeout:
                        continue
            waits.append(time.monotonic() - begun)

        head = b"POST /github HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256=00\r\nContent-Length: 1000\r\n"
        threads = [threading.Thread(target=drip, args=x) for x in ((b"POST /git", b"h"), (b"GET / HTTP/1.1\r\n", b"A: b\r\n"), (head + b"\r\n", b"x"), (b"", b""))]
        for x in threads:
            x.start()
        for n in range(1, 20):  # the others are served meanwhile
            t.equal(bot.open("github", n, A), 202)
        for x in threads:
            x.join()
        t.check(max(waits) < 10 * lib.SLOW, "slow senders were kept for %s s" % waits)
        t.check(time.monotonic() - start < 20)
        t.check(bot.metrics()["ungil_serve_slow_connections_total"] >= 1, bot.log())


def test_replay(t):
    with lib.temporary("ungil-serve-") as folder:
        body, other = payload("github", 1, A), payload("github", 1, B, action="synchronize")
        with Bot(folder, "--workers", "0", "--queue", "2") as bot:
            t.equal(bot.deliver("github", body, id="one").status, 202)
            again = bot.deliver("github", body, id="one")
            t.check(again.status == 200 and "before" in again.text, again)
            t.equal(bot.deliver("github", body, id="two").status, 200)   # the same body under another id
            t.equal(bot.deliver("github", other, id="one").status, 200)  # the same id with another body
            t.equal(bot.jobs()[0]["head"], A)
            closing = payload("github", 1, A, action="closed")
            t.equal(bot.deliver("github", closing).status, 200)
            t.equal(bot.jobs(), [])
            t.equal(bot.open("github", 2, A), 202)
            t.equal(bot.open("github", 3, A), 202)
            full = payload("github", 4, A)
            got = bot.deliver("github", full, id="three")
            t.check(got.status == 503 and int(got.headers["Retry-After"]) > 0, got)
            t.equal(bot.open("github", 3, B, action="synchronize"), 202)  # one that is in the queue may change
            t.equal(bot.metrics()['ungil_serve_deliveries_total{service="github",result="replayed"}'], 3)
            bot.stop(signal.SIGKILL)
        with open(os.path.join(folder, "state", "deliveries"), "a") as f:
            f.write("0123")  # a write that was cut
        with Bot(folder, "--workers", "0", "--queue", "9") as bot:
            t.equal([(j["number"], j["head"]) for j in bot.jobs()], [(2, A), (3, B)])
            t.equal(bot.deliver("github", body, id="four").status, 200)
            t.equal(bot.deliver("github", closing, id="five").status, 200)
            t.equal(bot.deliver("github", full, id="three").status, 202)  # it was refused: it may come again
            t.equal(bot.deliver("github", full, id="three").status, 200)


# --- Many at a time ---------------------------------------------------------------------------------------------------------

def flood(bot, requests):
    """Opens a connection for each, sends all heads, then all bodies; the statuses."""
    socks, statuses = [], []
    for service, body in requests:
        s = socket.create_connection(("127.0.0.1", bot.port), timeout=60 * lib.SLOW)
        head = headers_for(service, body)
        s.sendall(("POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % (service, len(body)) +
                   "".join("%s: %s\r\n" % x for x in head.items()) + "\r\n").encode())
        socks.append(s)
    for s, (_, body) in zip(socks, requests):
        s.sendall(body)
    for s in socks:
        got = b""
        while True:
            part = s.recv(4096)
            if not part:
                break
            got += part
        statuses.append(int(got.split(b" ")[1]) if got else 0)
        s.close()
    return statuses


def test_thousand_at_once(t):
    with receiver("--queue", "900", "--request-time", "60") as bot:
        requests = [("github", payload("github", n, A)) for n in range(1, 1001)]
        statuses = flood(bot, requests)
        t.equal((statuses.count(202), statuses.count(503)), (900, 100))
        t.equal(len(bot.jobs()), 900)
        t.equal(bot.metrics()["ungil_serve_queue_jobs"], 900)
        accepted = sorted(n for n, status in enumerate(statuses, 1) if status == 202)
        t.equal(sorted(j["number"] for j in bot.jobs()), accepted)
        t.equal(bot.request("GET", "/healthz").status, 200)
        t.equal(bot.stop(), 0)


def test_thousand_reviewed(t):
    """A thousand deliveries about fifty pull requests, from three services, reviewed as they come."""
    with world() as w:
        heads = {}
        for service in ("github", "gitlab"):
            heads[service] = w.repository.push(*range(1, 26), service=service)
        with w.bot("--workers", "2", "--request-time", "60") as bot:
            requests = [(("github", "gitlab")[n % 2], n) for n in range(1000)]
            statuses = flood(bot, [(s, payload(s, n // 2 % 25 + 1, heads[s], action="synchronize" if s == "github" else "update", turn=n)) for s, n in requests])
            t.equal(statuses.count(202), 1000)
            t.check(bot.idle(120), "still in the queue: %d\n%s" % (len(bot.queue()), bot.log()[-2000:]))
            calls = w.calls()
            t.equal({(c[5], int(c[2]), c[3]) for c in calls}, {(s, n, heads[s]) for s in heads for n in range(1, 26)})
            t.check(len(calls) < 300, "%d reviews for 50 pull requests: pushes were not put together" % len(calls))
            t.equal(bot.stop(), 0)


# --- Reviews ----------------------------------------------------------------------------------------------------------------

def test_review(t):
    with world() as w:
        head = w.repository.push(5)
        w.server.http.token = TOKEN
        with w.bot() as bot:
            t.equal(bot.open("github", 5, head), 202)
            t.check(bot.idle(), bot.log())
            t.equal(w.text("arguments").split(), ["review", "--base", w.repository.main, "--head", head, "--post", "github", "--repository", "acme/shop",
                                                  "--pr", "5", "--api-url", w.server.url + "/api/v3", "--cache-dir", bot.state + "/cache/facts"])
            environment = dict(line.split("=", 1) for line in w.text("environment").splitlines() if "=" in line)
            t.equal(environment.get("GITHUB_TOKEN"), TOKEN)
            t.check(not {"GITLAB_TOKEN", "GITEA_TOKEN", "UNGIL_WEBHOOK_SECRET"} & set(environment), environment)
            t.equal(w.text("oom").strip(), "1000")
            folder = w.text("folders").split()[0]
            t.check(folder.startswith(bot.state) and lib.git("rev-parse", "--is-bare-repository", cwd=folder).out == "true\n", folder)
            lib.git("fsck", "--strict", cwd=folder)
            t.check(lib.git("cat-file", "-t", head, cwd=folder).out == "commit\n")
            t.check(not os.path.exists(os.path.join(folder, "hooks", "post-checkout")))
            t.equal(bot.metrics()['ungil_serve_jobs_total{result="done"}'], 1)
            # The second push is fetched into the same repository, for which only what is new is asked.
            head2 = w.repository.push(5)
            t.equal(bot.open("github", 5, head2, action="synchronize"), 202)
            t.check(bot.idle(), bot.log())
            t.equal([c[3] for c in w.calls()], [head, head2])
            t.equal(bot.stop(), 0)
            for secret in (SECRET, TOKEN):
                t.check(secret not in bot.log() and secret not in w.text("arguments"), "a secret was printed")
        t.check(all(r[2] == "" or r[2].startswith("Basic ") for r in w.server.http.requests))


def test_every_service(t):
    with world() as w:
        heads = {s: w.repository.push(n, service=s) for n, s in enumerate(("github", "gitlab", "gitea"), 1)}
        with w.bot() as bot:
            for n, s in enumerate(("github", "gitlab", "gitea"), 1):
                t.equal(bot.open(s, n, heads[s]), 202)
            t.check(bot.idle(), bot.log())
            t.equal({(c[5], c[2], c[3]) for c in w.calls()}, {(s, str(n), heads[s]) for n, s in enumerate(heads, 1)})
            for s, api in (("github", "/api/v3"), ("gitlab", "/api/v4"), ("gitea", "/api/v1")):
                t.check("--post %s " % s in w.text("arguments") and w.server.url + api in w.text("arguments"), w.text("arguments"))


def test_pushes_meet(t):
    """Pushes while a review of the same pull request runs lead to one more review, of the newest head."""
    with world() as w:
        w.mode("wait")
        with w.bot() as bot:
            bot.open("github", 1, w.repository.push(1))
            t.check(until(lambda: w.calls()), bot.log())
            for _ in range(4):
                head = w.repository.push(1)
                t.equal(bot.open("github", 1, head, action="synchronize"), 202)
            w.go()
            t.check(bot.idle(), bot.log())
            t.equal(len(w.calls()), 2, bot.log())
            t.equal(w.calls()[-1][3], head)


def test_closed(t):
    with world() as w:
        w.mode("wait")
        heads = [w.repository.push(n) for n in (1, 2)]
        with w.bot() as bot:
            bot.open("github", 1, heads[0])
            t.check(until(lambda: w.calls()), bot.log())
            bot.open("github", 2, heads[1])
            bot.open("github", 1, heads[0], action="synchronize")
            for n in (1, 2):
                t.equal(bot.open("github", n, heads[n - 1], action="closed"), 200)
            w.go()
            t.check(bot.idle(), bot.log())
            t.equal([c[2] for c in w.calls()], ["1"])


def test_crash_and_hang(t):
    with world() as w:
        heads = {n: w.repository.push(n) for n in (1, 2, 3, 4)}
        w.mode("crash", 1), w.mode("children", 2), w.mode("fail", 3)
        with w.bot("--job-time", "1", "--workers", "3", "--retry-time", "0") as bot:
            for n in (1, 2, 3, 4):
                t.equal(bot.open("github", n, heads[n]), 202)
            t.check(bot.idle(90), bot.log())
            m = bot.metrics()
            got = {k: m['ungil_serve_jobs_total{result="%s"}' % k] for k in ("done", "crashed", "timeout", "failed")}
            t.equal(got, {"done": 1, "crashed": 5, "timeout": 5, "failed": 5}, bot.log())
            t.equal(m["ungil_serve_jobs_given_up_total"], 3)
            t.equal(len(os.listdir(os.path.join(bot.state, "failed"))), 3)
            t.check("cannot post: the service is away" in bot.log(), bot.log())
            t.check("dying with the token" in bot.log() and TOKEN not in bot.log(), bot.log())
            t.equal(bot.request("GET", "/healthz").status, 200)
            t.equal(bot.stop(), 0)
            pids = [int(c[1]) for c in w.calls() + w.calls("child")]
            t.check(w.calls("child"))
            t.check(until(lambda: not [p for p in pids if alive(p)]), "reviewers are left")


def test_fetch_fails(t):
    with world() as w:
        head = w.repository.push(1)
        with w.bot("--retry-time", "0") as bot:
            t.equal(bot.open("github", 1, head, base="gone"), 202)
            t.check(bot.idle() and "has no ref refs/heads/gone" in bot.log(), bot.log())
            t.equal(bot.open("github", 1, head, repository="acme/none"), 202)
            t.check(bot.idle() and "given up" in bot.log(), bot.log())
            t.equal(bot.open("github", 99, head), 202)
            t.check(bot.idle() and "has no ref refs/pull/99/head" in bot.log(), bot.log())
            w.server.http.token = "another"
            t.equal(bot.open("github", 1, head), 202)
            t.check(bot.idle() and "access refused" in bot.log(), bot.log())
            t.equal(w.calls(), [])
            w.server.http.token = ""
            # A head that is not there yet is waited for, but not for ever.
            t.equal(bot.open("github", 1, A), 202)
            t.check(bot.idle(), bot.log())
            t.equal([c[3] for c in w.calls()], [head])
            t.equal(bot.metrics()['ungil_serve_jobs_total{result="stale"}'], 2)


def test_broken_cache(t):
    """What a killed fetch leaves is swept away, and a repository that is damaged is fetched anew."""
    with world() as w:
        with w.bot("--retry-time", "0") as bot:
            bot.open("github", 1, w.repository.push(1))
            t.check(bot.idle(), bot.log())
            folder = w.text("folders").split()[0]
            for name in ("config.lock", "packed-refs.lock", "refs/ungil/pull/1/head.lock", "refs/ungil/heads/main.lock", "objects/pack/pack_git2_Ab12Cd"):
                lib.write_file(os.path.join(folder, name), "x")
            bot.open("github", 1, w.repository.push(1), action="synchronize")
            t.check(bot.idle() and len(w.calls()) == 2, bot.log())
            t.check(not os.path.exists(os.path.join(folder, "objects/pack/pack_git2_Ab12Cd")))
            t.equal(bot.metrics()['ungil_serve_jobs_total{result="done"}'], 2)
            lib.write_file(os.path.join(folder, "HEAD"), "")
            lib.write_file(os.path.join(folder, "config"), "[broken")
            bot.open("github", 1, w.repository.push(1), action="synchronize")
            t.check(bot.idle() and len(w.calls()) == 3, bot.log())


def test_fetch_limits(t):
    noise = os.urandom(3_000_000)
    with world(files={"app.py": "x = 1\n", "noise.bin": noise}) as w:
        head = w.repository.push(1)
        with w.bot("--repository-limit", "1") as bot:
            t.equal(bot.open("github", 1, head), 202)
            t.check(bot.idle() and "raise --repository-limit" in bot.log(), bot.log())
        with w.bot("--job-time", "2", "--retry-time", "100") as bot:
            w.server.http.stall = threading.Event()
            t.equal(bot.open("github", 1, head, action="reopened"), 202)
            t.check(until(lambda: "result=timeout" in bot.log()), bot.log())
            w.server.http.stall.set()
            t.equal(bot.request("GET", "/healthz").status, 200)
            t.equal([j["attempts"] for j in bot.jobs()], [1])
        t.equal(w.calls(), [])


def test_token_stays_at_home(t):
    """A redirection to another host is not followed, so the token stays; nor does anybody's git configuration send it elsewhere."""
    with world() as w:
        other = GitServer(os.path.join(w.folder, "git"))
        other.http.token = "x"
        head = w.repository.push(1)
        home = os.path.join(w.folder, "home")
        lib.write_file(os.path.join(home, ".gitconfig"), '[url "%s/"]\n\tinsteadOf = %s/\n[http]\n\tproxy = %s\n' % (other.url, w.server.url, other.url))
        try:
            with w.bot(env={"HOME": home}) as bot:
                t.equal(bot.open("github", 1, head), 202)
                t.check(bot.idle(), bot.log())
                t.equal(len(w.calls()), 1)
                t.equal(other.http.requests, [])
                w.server.http.redirect = other.url.replace("127.0.0.1", "localhost")  # another host, to who goes by names
                head = w.repository.push(1)
                t.equal(bot.open("github", 1, head, action="synchronize"), 202)
                t.check(until(lambda: "said:" in bot.log()), bot.log())
                t.check("redirects elsewhere" in bot.log(), bot.log())
                t.equal(other.http.requests, [])
                w.server.http.token = "x"  # also not after the token was asked for
                head = w.repository.push(1)
                t.equal(bot.open("github", 1, head, action="synchronize"), 202)
                t.check(until(lambda: bot.log().count("redirects elsewhere") >= 2), bot.log())
                t.equal(other.http.requests, [])
        finally:
            other.close()


def test_cache_limit(t):
    """The repository that was not used for the longest time goes."""
    with lib.temporary("ungil-serve-") as folder:
        names = ["acme/r%d" % i for i in range(3)]
        repositories = {n: Repository(folder, n, files={"app.py": "x = 1\n", "noise.bin": os.urandom(700_000)}) for n in names}
        w = World(folder, name="acme/last")
        try:
            with w.bot("--cache-limit", "2") as bot:
                for n in names:
                    bot.open("github", 1, repositories[n].push(1), repository=n)
                    t.check(bot.idle(), bot.log())
                    time.sleep(1.1)  # the clock of files
                bot.open("github", 1, w.repository.push(1), repository="acme/last")
                t.check(bot.idle(), bot.log())
                kept = sorted(n for n in os.listdir(os.path.join(bot.state, "cache")) if n.endswith(".git"))
                t.check("github%acme%r0.git" not in kept and "github%acme%r2.git" in kept and "github%acme%last.git" in kept, kept)
                bot.open("github", 1, repositories["acme/r0"].push(1), repository="acme/r0")  # and comes back when needed
                t.check(bot.idle(), bot.log())
                t.equal(len(w.calls()), 5)
        finally:
            w.server.close()


# --- The whole way, to comments ------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def service_with(service, *options):
    """(bot, host, push): a bot without a stand-in; push(files) makes a new head of pull request 7 and delivers it."""
    with lib.temporary("ungil-serve-") as folder:
        repository = Repository(folder, "ada/project", files=suite_review.BASE)
        server = GitServer(os.path.join(folder, "git"))
        server.http.token = hosts.TOKEN
        old = {}

        def push(files, delivered=True):
            head = repository.push(7, files=files, service=service, parent=old.get("head"))
            diff = lib.git("diff", "-M", "%s...%s" % (repository.main, head), cwd=repository.work).out
            if old:
                server.http.host.push(head, diff)
            old["head"], old["diff"] = head, diff
            return deliver() if delivered else None

        def deliver(**more):
            action = webhooks.ACTIONS[service][1]
            return bots[0].open(service, 7, old["head"], repository="ada/project", action=action, **more)

        def start():
            bots[:] = [Bot(folder, *options, services="%s=%s" % (service, server.url), env=tokens)]
            return bots[0]

        bots, tokens = [], {t: hosts.TOKEN for t in ("GITHUB_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN")}
        push({"app/stats.py": suite_review.STATS + suite_review.LOST}, delivered=False)
        try:
            with hosts.HOSTS[service](old["head"], old["diff"]) as host:
                server.http.host = host
                with start():
                    yield bots, host, push, deliver, start
                bots[0].__exit__()
        finally:
            server.close()


def findings_of(host):
    return [seen for seen in host.seen() if "UG108" in seen[2]]


def whole_way(t, service):
    fixed = suite_review.STATS + suite_review.LOST.replace("hits += 1", "with _lock:\n        hits += 1")
    with service_with(service) as (bots, host, push, deliver, start):
        bot = bots[0]
        t.equal(deliver(turn=1), 202, bot.log())
        t.check(bot.idle(), bot.log())
        t.equal(len(findings_of(host)), 1, bot.log())
        count = len(host.writes())
        t.equal(deliver(turn=1), 200)  # a replay
        t.equal(deliver(turn=2), 202)  # another delivery about the same head
        t.check(bot.idle(), bot.log())
        t.equal(len(host.writes()), count, "it said something twice")
        t.equal(push({"app/stats.py": fixed}), 202)
        t.check(bot.idle(), bot.log())
        t.equal([s for s in findings_of(host) if not s[3]], [], bot.log())
        t.equal(bot.stop(), 0)
        t.check(hosts.TOKEN not in bot.log() and SECRET not in bot.log(), bot.log())


def test_whole_way_github(t):
    whole_way(t, "github")


def test_whole_way_gitlab(t):
    whole_way(t, "gitlab")


def test_whole_way_gitea(t):
    whole_way(t, "gitea")


def test_killed_while_posting(t):
    """The service does what it was asked although nobody waits for the answer any more; and a cut connection, and an error."""
    for service, part in (("github", "/reviews"), ("gitlab", "/discussions"), ("gitea", "/reviews")):
        with service_with(service, "--retry-time", "3") as (bots, host, push, deliver, start):
            host.faults.append(("POST", part, "slow", 1.0))
            t.equal(deliver(), 202)
            t.check(until(lambda: any(m == "POST" and part in p for m, p, *_ in host.requests)), bots[0].log())
            bots[0].stop(signal.SIGKILL)
            with start() as bot:
                t.check(bot.idle(), bot.log())
                t.equal(len(findings_of(host)), 1, bot.log())
                host.faults.append(("GET", "", "status", 500, {}, {"message": "out of order"}))
                host.faults.append(("POST", part, "cut"))
                t.equal(deliver(turn=3), 202)
                t.check(bot.idle(), bot.log())
                t.equal(len(findings_of(host)), 1, bot.log())


# --- Ends and beginnings ----------------------------------------------------------------------------------------------------

def test_killed_in_the_middle(t):
    """Whatever is killed: every pull request is reviewed at its head in the end, and never by two at a time."""
    with world() as w:
        w.mode("sleep 0.1")
        numbers = range(1, 31)
        head = w.repository.push(*numbers)
        sent = 0
        for turn in range(5):
            with w.bot("--workers", "2") as bot:
                for n in list(numbers)[turn * 6:turn * 6 + 6]:
                    sent += bot.open("github", n, head) == 202
                time.sleep(0.1 + 0.15 * turn)
                bot.stop(signal.SIGKILL)
        t.equal(sent, 30)
        with w.bot("--workers", "2") as bot:
            t.check(bot.idle(120), bot.log())
            t.equal(bot.stop(), 0)
        ended = {int(c[2]) for c in w.calls("end") if c[3] == head}
        t.equal(sorted(ended), list(numbers))
        running = {}
        for line in w.text("calls").splitlines():
            word, pid, number = line.split()[:3]
            if word == "start":
                if number in running:  # the one before was killed; it must not say more
                    t.check(not alive(running[number]), "two reviews of %s" % number)
                running[number] = pid
            elif running.get(number) != pid:
                t.check(False, "%s ended %s after %s had started" % (pid, number, running.get(number)))


def test_orphans_die(t):
    with world() as w:
        w.mode("children")
        head = w.repository.push(1)
        with w.bot() as bot:
            bot.open("github", 1, head)
            t.check(until(lambda: w.calls()), bot.log())
            pid = int(w.calls()[0][1])
            bot.stop(signal.SIGKILL)
            t.check(until(lambda: not alive(pid)), "the reviewer outlives the server")


def test_graceful_stop(t):
    with world() as w:
        w.mode("wait")
        heads = [w.repository.push(n) for n in (1, 2)]
        with w.bot() as bot:
            for n in (1, 2):
                bot.open("github", n, heads[n - 1])
            t.check(until(lambda: w.calls()), bot.log())
            bot.process.send_signal(signal.SIGTERM)
            t.check(until(lambda: "stopping" in bot.log()), bot.log())
            with contextlib.suppress(ConnectionError):
                bot.request("GET", "/healthz")
                t.check(False, "it still listens")
            w.go()
            t.equal(bot.stop(None), 0)
            t.equal(len(w.calls("end")), 1, "the running review was not waited for")
            t.equal([j["number"] for j in bot.jobs()], [2])
        w.mode("sleep 60")
        for second in (False, True):
            with w.bot("--stop-time", "60" if second else "1") as bot:
                t.check(until(lambda: len(w.calls()) == 2 + second), bot.log())
                bot.process.send_signal(signal.SIGTERM)
                t.check(until(lambda: "stopping" in bot.log()))
                begun = time.monotonic()
                t.equal(bot.stop(signal.SIGINT if second else None), 0)
                t.check(time.monotonic() - begun < 10 * lib.SLOW)
                t.equal([(j["number"], j["attempts"]) for j in bot.jobs()], [(2, 0)])
        w.mode("sleep 0")
        with w.bot() as bot:
            t.check(bot.idle(), bot.log())


def test_one_server_a_directory(t):
    with lib.temporary("ungil-serve-") as folder, Bot(folder, "--workers", "0"):
        second = Bot(folder, "--workers", "0", wait=False)
        t.equal(second.process.wait(30 * lib.SLOW), 2)
        second.reader.join(5)
        t.check("another server uses this directory" in second.log(), second.log())


def test_damaged_state(t):
    with lib.temporary("ungil-serve-") as folder:
        queue = os.path.join(folder, "state", "queue")
        good = {"version": 1, "service": "github", "repository": "acme/shop", "number": 4, "head": A, "base": "main", "received": 1, "not_before": 0, "attempts": 0}
        bad = [b"", b"{", b"[]", b"\0" * 100, json.dumps({**good, "version": 2}).encode(), json.dumps({**good, "service": "x"}).encode(),
               json.dumps({**good, "number": 0}).encode(), json.dumps({**good, "head": "x" * 500}).encode(), json.dumps({**good, "repository": ""}).encode()]
        for i, text in enumerate(bad):
            lib.write_file(os.path.join(queue, "%020d-0000000001.json" % i), text)
        lib.write_file(os.path.join(queue, "%020d-0000000001.json" % 50), json.dumps(good))
        # Versions of one job: the newest that can be read counts, and only the damaged one is kept for a look.
        lib.write_file(os.path.join(queue, "%020d-0000000003.json" % 49), json.dumps({**good, "number": 8}))
        lib.write_file(os.path.join(queue, "%020d-0000000002.json" % 49), json.dumps({**good, "number": 7}))
        lib.write_file(os.path.join(queue, "%020d-0000000004.json" % 49), '{"version": 1, "serv')
        lib.write_file(os.path.join(queue, "x.json"), json.dumps(good))
        lib.write_file(os.path.join(folder, "state", "deliveries"), "zz\n\n" + "g" * 32 + "\n" + "0" * 32 + "\n" + "1" * 5)
        with Bot(folder, "--workers", "0") as bot:
            t.equal([j["number"] for j in bot.jobs()], [8, 4])
            t.equal(len(os.listdir(os.path.join(folder, "state", "failed"))), len(bad) + 2)
            t.equal(bot.open("github", 5, A), 202)
            t.equal(bot.queue()[-1], "%020d-0000000001.json" % 51)
            t.equal(sorted(os.listdir(queue)), ["%020d-0000000003.json" % 49, "%020d-0000000001.json" % 50, "%020d-0000000001.json" % 51])


def test_state_cannot_be_written(t):
    """What cannot be stored is not accepted, and /healthz says so."""
    with receiver() as bot:
        pid, unlimited = bot.process.pid, resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (5, unlimited[1]))
        t.equal(bot.open("github", 1, A), 503)
        t.equal(bot.request("GET", "/healthz").status, 503)
        t.equal(bot.queue(), [])
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        t.equal(bot.open("github", 1, A), 202)
        t.equal(bot.request("GET", "/healthz").status, 200)
        t.equal(len(bot.jobs()), 1)


# --- Settings and metrics ---------------------------------------------------------------------------------------------------

def test_metrics(t):
    with receiver() as bot:
        bot.open("github", 1, A)
        bot.open("gitlab", 1, A, secret="wrong-wrong-wrong-wrong")
        answer = bot.request("GET", "/metrics")
        t.check(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers)
        m = webhooks.parse_metrics(answer.text)
        t.equal(m['ungil_serve_deliveries_total{service="github",result="queued"}'], 1)
        t.equal(m['ungil_serve_deliveries_total{service="gitlab",result="forged"}'], 1)
        t.equal((m["ungil_serve_queue_jobs"], m["ungil_serve_queue_limit"], m["ungil_serve_running_jobs"]), (1, 1000, 0))
        t.check(m["ungil_serve_start_time_seconds"] > 1e9)
        t.equal(m['ungil_serve_job_seconds_bucket{le="+Inf"}'], m["ungil_serve_job_seconds_count"])
        t.equal(bot.request("HEAD", "/healthz").status, 200)
        t.equal(bot.request("GET", "/healthz").text, "ok\n")


def test_secret_files(t):
    with lib.temporary("ungil-serve-") as folder:
        secrets = os.path.join(folder, "secrets")
        lib.write_tree(secrets, {"webhook-secret": "the-first-of-the-secrets\n\n  the-second-of-the-secrets \n", "github-token": TOKEN + "\n"})
        env = {"UNGIL_WEBHOOK_SECRET": "unused-unused-unused", "GITHUB_TOKEN": ""}
        with Bot(folder, "--workers", "0", "--secrets", secrets, env=env) as bot:
            t.check("token=yes" in bot.log(), bot.log())
            for n, secret in enumerate(("the-first-of-the-secrets", "the-second-of-the-secrets"), 1):
                t.equal(bot.open("github", n, A, secret=secret), 202)
            t.equal(bot.open("github", 3, A, secret="unused-unused-unused"), 401)
            lib.write_file(os.path.join(secrets, "webhook-secret"), "a-third-one-for-all-of-us")
            bot.process.send_signal(signal.SIGHUP)
            t.check(until(lambda: "secrets read again" in bot.log()), bot.log())
            t.equal(bot.open("github", 4, A, secret="the-first-of-the-secrets"), 401)
            t.equal(bot.open("github", 4, A, secret="a-third-one-for-all-of-us"), 202)
            lib.write_file(os.path.join(secrets, "webhook-secret"), "short")
            bot.process.send_signal(signal.SIGHUP)
            t.check(until(lambda: "secrets not read again" in bot.log()), bot.log())
            t.equal(bot.open("github", 5, A, secret="a-third-one-for-all-of-us"), 202)
            t.check("third" not in bot.log() and TOKEN not in bot.log())


def test_settings(t):
    with lib.temporary("ungil-serve-") as folder:
        def refused(words, *options, **env):
            full = lib.environment(**{"UNGIL_WEBHOOK_SECRET": SECRET, **env})
            got = lib.ungil("serve", *options, cwd=folder, env=full, timeout=20)
            t.code(got, 2)
            t.has(got, words, stream="err")

        state = ("--state", os.path.join(folder, "s"))
        refused("--state DIR is needed")
        refused("16 characters", *state, UNGIL_WEBHOOK_SECRET="short")
        refused("there is no webhook secret", *state, UNGIL_WEBHOOK_SECRET=" \n")
        refused("no service 'bitbucket'", *state, "--services", "bitbucket")
        refused("no public instance", *state, "--services", "gitea")
        refused("is there twice", *state, "--services", "github,github=https://x.org")
        refused("no https:// address", *state, "--services", "github=http://example.org")
        refused("no https:// address", *state, "--services", "github=http://127.0.0.1.example.org")
        refused("without user", *state, "--services", "github=https://me@example.org")
        refused("is not ADDRESS:PORT", *state, "--listen", "8080")
        refused("is not ADDRESS:PORT", *state, "--listen", "localhost:x")
        refused("cannot listen", *state, "--listen", "127.0.0.1:1" if os.geteuid() else "192.0.2.1:9")
        refused("--workers must be", *state, "--workers", "99")
        refused("--queue must be", *state, "--queue", "0")
        refused("cannot run", *state, "--reviewer", os.path.join(folder, "none"))
        refused("takes no arguments", *state, "x")
        lib.write_file(os.path.join(folder, "file"), "x")
        refused("cannot", "--state", os.path.join(folder, "file", "s"))


# --- What docs/serve/ has ---------------------------------------------------------------------------------------------------

def test_unit_file(t):
    path = os.path.join(lib.TOP, "docs", "serve", "ungil.service")
    command = re.search(r"^ExecStart=/usr/local/bin/ungil (.*)$", lib.read_file(path).decode(), re.M).group(1)
    t.code(lib.ungil(*shlex.split(command), "--help"), 0)
    if not shutil.which("systemd-analyze"):
        return t.skip("needs systemd-analyze")
    with lib.temporary() as folder:
        text = lib.read_file(path).decode().replace("/usr/local/bin/ungil", lib.UNGIL)
        lib.write_file(os.path.join(folder, "ungil.service"), text)
        t.equal([line for line in lib.execute(["systemd-analyze", "verify", os.path.join(folder, "ungil.service")]).err.splitlines() if "ungil.service" in line], [])


def test_container_file(t):
    """It installs the libraries that the program needs."""
    text = lib.read_file(os.path.join(lib.TOP, "docs", "serve", "Containerfile")).decode()
    entry = json.loads(re.search(r"^ENTRYPOINT (.*)$", text, re.M).group(1))
    t.code(lib.ungil(*entry[1:], "--help"), 0)
    if not shutil.which("dpkg-query") or not shutil.which("ldd"):
        return t.skip("needs Debian")
    if 'VERSION_ID="12"' not in lib.read_file("/etc/os-release").decode():
        return t.skip("the names of packages are those of Debian 12")
    installed = set(text.split("FROM debian:12-slim")[1].split())
    needed = re.findall(r"NEEDED\)\s+Shared library: \[(.*?)\]", lib.execute(["readelf", "-d", lib.UNGIL]).out)
    places = dict(re.findall(r"(\S+) => (\S+)", lib.execute(["ldd", lib.UNGIL]).out))
    for name in needed:
        got = lib.execute(["dpkg-query", "-S", os.path.realpath(places.get(name, name))])
        if got.code:  # merged /usr: dpkg may know the other name
            got = lib.execute(["dpkg-query", "-S", "*/" + os.path.basename(os.path.realpath(places.get(name, name)))])
        package = got.out.split(":")[0]
        if package not in ("libc6", "libasan6", "libasan8", "libubsan1", "libgcc-s1"):
            t.check(package in installed, "%s (%s) is not in the Containerfile" % (package, name))


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 < hard < 4096 else 4096, hard))  # for a thousand connections
    suite = lib.Suite("serve")
    suite.run_module(sys.modules[__name__])
    sys.exit(suite.end())
