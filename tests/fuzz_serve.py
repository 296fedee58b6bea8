#!/usr/bin/env python3
"""Feeds damaged deliveries to a bot that only receives (make fuzz: the sanitizer build), and looks for what must never happen.

  died     the server ended
  answer   an answer that is none of those that a delivery may get, or none at all to a whole request
  job      a job in the queue whose parts are not what they have to be

Payloads are damaged and then signed, so that they reach the parser; some requests are damaged as a whole, head included. What
goes wrong is kept in $BUILD/fuzz/.

  tests/fuzz_serve.py [SECONDS [SEED]]        or FUZZ_SECONDS, FUZZ_SEED
"""
import json
import os
import random
import re
import sys
import time

import fuzz
import lib
import webhooks

OPTIONS = ("--workers", "0", "--queue", "5", "--request-time", "1")
STATUSES = {200, 202, 400, 401, 403, 413, 415, 503}
VALUES = [None, True, 0, -1, 2 ** 31, 1e308, "", "x", "a/b", "a/../b", "..", "refs/heads/main", "x.lock", "@{", "-x", "\0", "\ud83d\ude00", "a" * 3000,
          "f" * 40, "f" * 64, "F" * 40, [], [[]], {}, {"sha": "f" * 40}, "opened", "closed", "update", "merge", "draft"]
JOB = {"repository": re.compile(r"[\w.-]+(/[\w.-]+)+\Z"), "head": re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\Z"), "base": re.compile(r"[^\s~^:?*\[\\]+\Z")}


def payloads():
    for service, (opened, pushed, closed) in webhooks.ACTIONS.items():
        for action in (opened, pushed, closed):
            yield service, webhooks.payload(service, 3, "a" * 40, action=action)


def paths(value, at=()):
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], at + (key,))


def change(rng, body):
    """Another value somewhere in the JSON."""
    data = json.loads(body)
    at = rng.choice([p for p in paths(data) if p])
    place = data
    for key in at[:-1]:
        place = place[key]
    if rng.random() < 0.2:
        del place[at[-1]]
    else:
        place[at[-1]] = rng.choice(VALUES)
    return json.dumps(data).encode("utf-8", "surrogatepass")


def damage(rng, bodies):
    service, body = rng.choice(bodies)
    if rng.random() < 0.5:
        for _ in range(rng.choice((1, 1, 2))):
            body = change(rng, body)
        return service, body
    for _ in range(rng.choice((1, 1, 2, 3))):
        body = rng.choice((fuzz.chop, fuzz.splice, fuzz.noise, fuzz.noise, fuzz.remove, fuzz.words, fuzz.everywhere, fuzz.token))(rng, body, [b for _, b in bodies])
    return service, body[:100_000]


def request(rng, service, body):
    """The bytes of a request, and whether it is a whole one."""
    head = webhooks.headers_for(service, body)
    data = ("POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % (service, len(body)) + "".join("%s: %s\r\n" % x for x in head.items())).encode()
    data += b"\r\n" + body
    if rng.random() < 0.97:
        return data, True
    at = rng.randrange(len(data) - len(body))
    return rng.choice((data[:at] + bytes(rng.randrange(256) for _ in range(4)) + data[at:], data[:at] + data[at + rng.randrange(20):],
                       data.replace(b"Content-Length: ", b"Content-Length: 9"), data.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX-L"),
                       data.replace(b"\r\n", b"\n"), data[:at])), False


def judge(bot, data, whole, got):
    """None, or what is wrong."""
    if bot.process.poll() is not None:
        return "died"
    status = int(got.split(b" ")[1]) if re.match(rb"HTTP/1\.1 \d{3} ", got) else 0
    if whole and status not in STATUSES:
        return "answer"
    for job in bot.jobs():
        if not all(p.match(str(job[k])) for k, p in JOB.items()) or ".." in job["base"] or not 0 < job["number"] < 2 ** 31:
            return "job"
    return None


def main():
    seconds = float(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FUZZ_SECONDS") or 30)
    seed = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("FUZZ_SEED") or random.randrange(1_000_000))
    rng, bodies, count, failures, accepted = random.Random(seed), list(payloads()), 0, 0, 0
    print("fuzz_serve: %g seconds, seed %d" % (seconds, seed))
    end = time.monotonic() + seconds
    while time.monotonic() < end and failures < 10:
        with lib.temporary("ungil-fuzz-") as folder, webhooks.Bot(folder, *OPTIONS, services="github,gitlab,gitea=https://x.org") as bot:
            while time.monotonic() < end:
                service, body = damage(rng, bodies)
                data, whole = request(rng, service, body)
                got = b""
                try:
                    got = webhooks.raw(bot.port, data, half=not whole)
                except OSError as e:
                    print("fuzz_serve: %s" % e)
                count += 1
                accepted += got.startswith(b"HTTP/1.1 202")
                kind = judge(bot, data, whole, got)
                if kind:
                    failures += 1
                    kept = os.path.join(lib.BUILD, "fuzz", "serve-%s-%d-%d" % (kind, seed, count))
                    lib.write_file(kept, data)
                    print("FAIL fuzz_serve: %s, kept in %s\n    %r\n    %r\n%s" % (kind, kept, data[:500], got[:300], bot.log()[-3000:]))
                    break
                if len(bot.queue()) >= 5:
                    break  # a full queue hides the rest
    print("fuzz_serve: %d deliveries, %d accepted, %d failures (FUZZ_SEED=%d repeats this)" % (count, accepted, failures, seed))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
