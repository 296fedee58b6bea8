"""What tests of `ungil serve` share: a git server on loopback, the bot as a process, payloads and their signatures.

The git server is git's own http-backend behind a small HTTP server, so that the bot fetches as it would anywhere.
"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import lib

SECRET = "a-webhook-secret-for-tests"
TOKEN = "token-0123456789abcdef"
EVENTS = {"github": "pull_request", "gitlab": "Merge Request Hook", "gitea": "pull_request"}
ACTIONS = {"github": ("opened", "synchronize", "closed"), "gitlab": ("open", "update", "close"), "gitea": ("opened", "synchronized", "closed")}


# --- The git server ---------------------------------------------------------------------------------------------------------

class GitHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *args):
        pass

    def api(self):
        """The service's API is at the same address; hosts.py plays it."""
        host = self.server.host if self.path.startswith("/api/") else None
        if host:
            host.handle(self)
        return host

    def do_GET(self):
        self.api() or self.answer(b"")

    def do_POST(self):
        self.api() or self.answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)) if not self.headers.get("Transfer-Encoding") else self.chunks())

    do_PATCH = do_PUT = do_DELETE = do_POST

    def chunks(self):
        body = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                return body

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, body):
        server = self.server
        authorization = self.headers.get("Authorization", "")
        server.requests.append((self.command, self.path, authorization))
        if server.redirect and not self.path.startswith("/elsewhere"):
            return self.reply(302, Location=server.redirect + self.path)
        if server.stall:
            server.stall.wait(60)
        if server.token:
            given = authorization.removeprefix("Basic ")
            if ":" + server.token not in base64.b64decode(given + "==").decode("utf-8", "replace"):
                return self.reply(401, WWW_Authenticate='Basic realm="git"')
        path, _, query = self.path.partition("?")
        env = lib.environment(GIT_PROJECT_ROOT=server.folder, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query, REQUEST_METHOD=self.command,
                              CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)), REMOTE_ADDR="127.0.0.1",
                              HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""), GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        done = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.reply(int(fields.pop("Status", "200").split()[0]), rest, **fields)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request, address):
        pass  # a client that was killed or hung up


class GitServer:
    """Serves the bare repositories below a folder at .url; .requests lists what was asked."""

    def __init__(self, folder, handler=GitHandler):
        self.folder = folder
        self.http = Server(("127.0.0.1", 0), handler)
        self.http.folder, self.http.requests, self.http.token, self.http.redirect, self.http.stall, self.http.host = folder, [], "", "", None, None
        self.url = "http://127.0.0.1:%d" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Repository:
    """A bare repository FOLDER/NAME.git with a branch main and, after push(), refs of pull requests."""

    def __init__(self, folder, name="acme/shop", files=None):
        self.name = name
        self.work, self.bare = os.path.join(folder, "work-" + name.replace("/", "-")), os.path.join(folder, "git", name + ".git")
        lib.write_tree(self.work, files or {"app.py": "x = 1\n"})
        lib.git_start(self.work)
        os.makedirs(os.path.dirname(self.bare), exist_ok=True)
        lib.git("clone", "-q", "--bare", self.work, self.bare, cwd=folder)
        self.main = lib.git("rev-parse", "HEAD", cwd=self.work).out.strip()
        self.count = 0

    def push(self, *numbers, files=None, service="github", parent=None):
        """One commit on top of main (or of parent), which the pull requests of these numbers then have as their head."""
        self.count += 1
        lib.git("checkout", "-q", "--detach", parent or self.main, cwd=self.work)
        lib.write_tree(self.work, files or {"app.py": "x = %d\n" % (self.count + 1)})
        lib.git("commit", "-q", "-a", "-m", "Push %d" % self.count, cwd=self.work)
        head = lib.git("rev-parse", "HEAD", cwd=self.work).out.strip()
        kind = "merge-requests" if service == "gitlab" else "pull"
        lib.git("push", "-q", "-f", self.bare, *["HEAD:refs/%s/%d/head" % (kind, n) for n in numbers], cwd=self.work)
        return head


# --- Deliveries -------------------------------------------------------------------------------------------------------------

def payload(service, number, head, repository="acme/shop", action=None, base="main", draft=False, **more):
    if service == "gitlab":
        action = action or "open"
        body = {"object_kind": "merge_request", "project": {"id": 7, "path_with_namespace": repository},
                "object_attributes": {"iid": number, "action": action, "target_branch": base, "last_commit": {"id": head}, "draft": draft}}
        if action == "update":
            body["object_attributes"]["oldrev"] = "0" * 40
    else:
        body = {"action": action or "opened", "number": number, "repository": {"full_name": repository, "clone_url": "https://evil.example/x.git"},
                "pull_request": {"head": {"sha": head, "ref": "topic"}, "base": {"ref": base}, "draft": draft}}
    body.update(more)
    return json.dumps(body).encode()


_ids = iter(range(10 ** 9))


def headers_for(service, body, id=None, secret=SECRET, event=None, type="application/json"):
    id = id or "delivery-%d" % next(_ids)
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = {"Content-Type": type, "User-Agent": "test"}
    event = event or EVENTS[service]
    if service == "github":
        head.update({"X-GitHub-Event": event, "X-GitHub-Delivery": id, "X-Hub-Signature-256": "sha256=" + digest})
    elif service == "gitea":
        head.update({"X-Gitea-Event": event, "X-Gitea-Delivery": id, "X-Gitea-Signature": digest, "X-GitHub-Event": event})
    else:
        head.update({"X-Gitlab-Event": event, "X-Gitlab-Event-UUID": id, "X-Gitlab-Token": secret})
    return head


# --- The bot ----------------------------------------------------------------------------------------------------------------

class Bot:
    """`ungil serve` as a process, on a port that the kernel chose."""

    def __init__(self, folder, *options, services="", reviewer=None, env=None, wait=True):
        self.state = os.path.join(folder, "state")
        args = [lib.UNGIL, "serve", "--listen", "127.0.0.1:0", "--state", self.state, "--retry-time", "1", "-v", *options]
        if services:
            args += ["--services", services]
        if reviewer:
            args += ["--reviewer", reviewer]
        self.args, self.lines, self.port = args, [], 0
        self.listening = threading.Event()
        full = lib.environment(UNGIL_WEBHOOK_SECRET=SECRET, GITHUB_TOKEN=TOKEN, GITLAB_TOKEN=TOKEN, GITEA_TOKEN=TOKEN)
        full.update(env or {})
        self.process = subprocess.Popen(args, env=full, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if wait and not self.listening.wait(20 * lib.SLOW):
            self.process.kill()
            raise RuntimeError("the bot does not listen:\n" + self.log())

    def read(self):
        for line in self.process.stderr:
            text = line.decode("utf-8", "replace").rstrip("\n")
            self.lines.append(text)
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", text)
            if found:
                self.port = int(found.group(1))
                self.listening.set()
        self.listening.set()

    def log(self):
        return "\n".join(self.lines)

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * lib.SLOW)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
            return Answer(answer.status, text, answer.headers)
        finally:
            connection.close()

    def deliver(self, service, body, path=None, **how):
        return self.request("POST", path or "/" + service, body, headers_for(service, body, **how))

    def open(self, service, number, head, **more):
        """Delivers an opened pull request; the answer's status."""
        how = {k: more.pop(k) for k in ("id", "secret") if k in more}
        return self.deliver(service, payload(service, number, head, **more), **how).status

    def metrics(self):
        return parse_metrics(self.request("GET", "/metrics").text)

    def queue(self):
        folder = os.path.join(self.state, "queue")
        return sorted(n for n in os.listdir(folder) if n.endswith(".json"))

    def jobs(self):
        found = []
        for name in self.queue():
            with contextlib.suppress(FileNotFoundError), open(os.path.join(self.state, "queue", name)) as f:
                found.append(json.load(f))
        return found

    def idle(self, seconds=60):
        return until(lambda: not self.queue(), seconds)

    def stop(self, how=signal.SIGTERM, seconds=60):
        """The exit status; how None: only waits for it."""
        if how and self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(seconds * lib.SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = None
        self.reader.join(5)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)


class Answer:
    def __init__(self, status, text, headers):
        self.status, self.text, self.headers = status, text, headers

    def __repr__(self):
        return "%d %s" % (self.status, self.text.strip())


def until(truth, seconds=20):
    end = time.monotonic() + seconds * lib.SLOW
    while time.monotonic() < end:
        if truth():
            return True
        time.sleep(0.02)
    return False


def raw(port, data, wait=10, half=False):
    """Sends bytes as they are, half: and nothing after them, and gives back all that comes until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait * lib.SLOW) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
            if half:
                s.shutdown(socket.SHUT_WR)
        got = b""
        with contextlib.suppress(ConnectionError):
            while True:
                part = s.recv(65536)
                if not part:
                    return got
                got += part
        return got


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+|\+Inf|NaN)$')


def parse_metrics(text):
    """The samples as {name with labels: value}; raises ValueError where the text is not Prometheus' format."""
    samples, types, seen, last = {}, {}, set(), ""
    if not text.endswith("\n"):
        raise ValueError("no newline at the end")
    for line in text.splitlines():
        if line.startswith("# "):
            kind, name, rest = line[2:].split(" ", 2)
            if kind == "TYPE":
                if name in types or rest not in ("counter", "gauge", "histogram"):
                    raise ValueError(line)
                types[name] = rest
            elif kind != "HELP" or (kind, name) in seen:
                raise ValueError(line)
            seen.add((kind, name))
            last = name
            continue
        m = SAMPLE.match(line)
        if not m:
            raise ValueError(line)
        name, labels = m.group(1), m.group(2) or ""
        family = re.sub(r"_(bucket|sum|count)$", "", name) if types.get(last) == "histogram" else name
        if family != last or (types[family] == "counter" and not name.endswith("_total")) or name + labels in samples:
            raise ValueError(line)
        samples[name + labels] = float(m.group(3))
    return samples
