"""Hosting services on the loopback interface, as their published descriptions say that they behave: GitHub (REST and GraphQL), GitLab,
Gitea. Each keeps one pull request in memory and checks what it is sent as the real one does: lines must be in the diff, texts have a
greatest length, lists come in pages, tokens are wanted.

`faults` makes a request go wrong once: a list of (method, part of the path, action, ...), taken in order:
  "cut"      acts, then closes the connection without an answer
  "refuse"   closes the connection before acting
  "status"   answers with a status, headers and a body, and does not act
  "slow"     waits the given seconds, then acts
"""
import json
import re
import socket
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "secret-token-0123456789"


class Refused(Exception):
    def __init__(self, status, body):
        Exception.__init__(self, status)
        self.status, self.body = status, body


def parse_diff(text):
    """{new path: (old path, [hunk]), a hunk being a list of (old line or None, new line or None, text)}."""
    files, hunks, old, new, old_path = {}, None, 0, 0, None
    for line in text.splitlines():
        m = re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@", line)
        if line.startswith("diff --git "):
            hunks, old_path = None, None
        elif line.startswith("rename from "):
            old_path = line[12:]
        elif line.startswith("--- ") and hunks is None:
            old_path = old_path or line[6:]
        elif line.startswith("+++ ") and hunks is None:
            hunks = []
            path = line[6:]
            if line != "+++ /dev/null":
                files[path] = (path if old_path == "ev/null" else old_path, hunks)
        elif m:
            old, new = int(m.group(1)), int(m.group(2))
            hunks.append([])
        elif hunks and line[:1] in (" ", "+", "-"):
            hunks[-1].append((None if line[0] == "+" else old, None if line[0] == "-" else new, line[1:]))
            old += line[0] != "+"
            new += line[0] != "-"
    return files


class Host:
    """One service with one pull request. `diff` is what git diff prints between its base and its head."""
    prefix = ""

    def __init__(self, head, diff, page=3):
        self.head, self.page, self.lock = head, page, threading.RLock()
        self.me, self.number, self.next_id = "ungil-bot", 7, 100
        self.requests, self.faults, self.denied = [], [], set()
        self.push(head, diff)
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                host.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return "http://127.0.0.1:%d%s" % (self.server.server_port, self.prefix)

    def push(self, head, diff):
        """A new head. Comments on lines whose text is still in the diff move with it, the others are outdated."""
        before = getattr(self, "files", {})
        self.head, self.diff, self.files = head, diff, parse_diff(diff)
        for thread in self.threads():
            self.move(thread, before)

    def threads(self):
        return []

    def move(self, thread, before):
        pass

    def text_at(self, files, path, line):
        for hunk in files.get(path, (None, []))[1]:
            for old, new, text in hunk:
                if new == line:
                    return text
        return None

    def line_of(self, path, wanted):
        for hunk in self.files.get(path, (None, []))[1]:
            for old, new, text in hunk:
                if new is not None and text == wanted:
                    return new
        return None

    def hunk_with(self, path, line):
        for hunk in self.files.get(path, (None, []))[1]:
            if any(new == line for _, new, _ in hunk):
                return hunk
        return None

    def new_id(self):
        self.next_id += 1
        return self.next_id

    # --- the wire ---

    def fault_for(self, method, path):
        for i, fault in enumerate(self.faults):
            if fault[0] == method and fault[1] in path:
                return self.faults.pop(i)
        return None

    def cut(self, handler):
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        handler.connection.close()

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        url = urllib.parse.urlsplit(handler.path)
        path = "/graphql" if url.path == "/api/graphql" else url.path[len(self.prefix):]
        query = dict(urllib.parse.parse_qsl(url.query))
        method = handler.command
        with self.lock:
            fault = self.fault_for(method, path)
            self.requests.append((method, path, query, raw, dict(handler.headers)))
        headers = {}
        if fault and fault[2] == "refuse":
            return self.cut(handler)
        if fault and fault[2] == "slow":
            time.sleep(fault[3])
        if fault and fault[2] == "status":
            status, headers, body = fault[3], dict(fault[4]), fault[5]
        else:
            try:
                with self.lock:
                    self.check(handler.headers)
                    data = json.loads(raw) if raw else None
                    status, body = self.answer(method, path, query, data)
                    if isinstance(body, list) and method == "GET":
                        body, headers = self.paged(handler.path, query, body)
            except Refused as e:
                status, body = e.status, e.body
        if fault and fault[2] == "cut":
            return self.cut(handler)
        out = b"" if body is None else json.dumps(body).encode()
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(out)))
            handler.end_headers()
            handler.wfile.write(out)
        except OSError:
            pass

    def paged(self, target, query, items):
        """At most self.page items, whatever the client asks for, and a Link header to the rest."""
        url = urllib.parse.urlsplit(target)
        at = int(query.get("page", 1))
        size = min(self.page, int(query.get("per_page", query.get("limit", 30))))
        part = items[(at - 1) * size:at * size]
        if at * size >= len(items):
            return part, {}
        more = urllib.parse.urlencode({**query, "page": at + 1})
        root = "http://127.0.0.1:%d" % self.server.server_port
        return part, {"Link": '<%s%s?%s>; rel="next", <%s%s?page=99>; rel="last"' % (root, url.path, more, root, url.path)}

    def writes(self):
        """Requests that change something."""
        return [(m, p, raw) for m, p, _, raw, _ in self.requests
                if m != "GET" and not (p.endswith("/graphql") and b"mutation" not in raw)]


# --- GitHub ---------------------------------------------------------------------------------------------------------------------

class GitHub(Host):
    prefix = "/api/v3"  # as on GitHub Enterprise: GraphQL is at /api/graphql
    BODY_MAX = 65536

    def __init__(self, *args, **more):
        self.conversations, self.comments, self.reviews, self.shown = [], [], [], None
        Host.__init__(self, *args, **more)

    def threads(self):
        return self.conversations

    def move(self, thread, before):
        if thread["line"] is None:
            return
        text = self.text_at(before, thread["path"], thread["line"])
        shift = thread["line"] - (thread["startLine"] or thread["line"])
        line = self.line_of(thread["path"], text) if text is not None else None
        thread["line"] = line
        thread["startLine"] = line - shift if line and thread["startLine"] else None

    def check(self, headers):
        if headers.get("Authorization") != "Bearer " + TOKEN:
            raise Refused(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})
        if not headers.get("User-Agent"):
            raise Refused(403, {"message": "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"})

    def unprocessable(self, *errors):
        raise Refused(422, {"message": "Unprocessable Entity", "errors": list(errors), "documentation_url": "https://docs.github.com/rest"})

    def check_line(self, c):
        if len(c["body"]) > self.BODY_MAX:
            self.unprocessable("body is too long (maximum is 65536 characters)")
        hunk = self.hunk_with(c["path"], c.get("line"))
        if hunk is None or c.get("side", "RIGHT") != "RIGHT":
            self.unprocessable("Pull request review thread line must be part of the diff")
        if "start_line" in c:
            if c["start_line"] >= c["line"]:
                self.unprocessable("Pull request review thread start line must precede the end line.")
            if not any(new == c["start_line"] for _, new, _ in hunk):
                self.unprocessable("Pull request review thread start line must be part of the same hunk as the line.")

    def add_thread(self, c, author):
        self.conversations.append({
            "id": "PRRT_%d" % self.new_id(), "isResolved": False, "resolvedBy": None, "path": c["path"], "line": c["line"],
            "startLine": c.get("start_line"), "comments": [{"databaseId": self.new_id(), "body": c["body"], "author": author}]})

    def answer(self, method, path, query, data):
        repo = "/repos/ada/project"
        pull = "%s/pulls/%d" % (repo, self.number)
        if path.startswith("/repos/") and method != "GET" and "write" in self.denied:
            raise Refused(403, {"message": "Resource not accessible by integration"})
        if path == "/graphql" and method == "POST":
            return 200, self.graphql(data)
        if method == "POST" and path == pull + "/reviews":
            if data.get("event") == "COMMENT" and not data.get("body"):
                self.unprocessable("body is required")
            if data["commit_id"] != self.head:
                self.unprocessable("commit_id is not part of the pull request")
            for c in data.get("comments", []):
                self.check_line(c)
            for c in data.get("comments", []):
                self.add_thread(c, self.me)
            self.reviews.append({"id": self.new_id(), "body": data["body"], "event": data["event"], "user": {"login": self.me}})
            return 200, self.reviews[-1]
        if method == "POST" and path == pull + "/comments":
            self.check_line(data)
            self.add_thread(data, self.me)
            return 201, {"id": self.conversations[-1]["comments"][0]["databaseId"]}
        if method == "GET" and path == pull + "/files":
            return 200, [{"filename": name, "status": "modified", "patch": self.patch(hunks)}
                         for name, (_, hunks) in sorted(self.files.items())]
        if method == "GET" and path == repo + "/pulls":
            here = {"number": self.number, "head": {"sha": self.head}}
            return 200, [{"number": 3, "head": {"sha": "0" * 40}}, here] if query.get("head") == "eve:change" else []
        if method == "POST" and path == "%s/issues/%d/comments" % (repo, self.number):
            self.comments.append({"databaseId": self.new_id(), "body": data["body"], "author": self.me})
            return 201, {"id": self.comments[-1]["databaseId"]}
        raise Refused(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})

    def patch(self, hunks):
        out = []
        for h in hunks:
            olds, news = [o for o, _, _ in h if o], [n for _, n, _ in h if n]
            spans = ["%d" % at[0] if len(at) == 1 else "%d,%d" % (at[0] if at else 0, len(at)) for at in (olds, news)]
            out.append("@@ -%s +%s @@ def x():" % tuple(spans))
            out += [("+" if o is None else "-" if n is None else " ") + text for o, n, text in h]
        return "\n".join(out)

    def page_of(self, items, after):
        start = int(after or 0)
        end = start + self.page
        return items[start:end], {"hasNextPage": end < len(items), "endCursor": str(end) if end < len(items) else None}

    def graphql(self, data):
        query, v = data["query"], data["variables"]
        m = re.search(r"(unresolve|resolve)ReviewThread", query)
        if m:
            if "resolve" in self.denied:
                return {"data": {m.group(0): None}, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]}
            for t in self.conversations:
                if t["id"] == v["id"]:
                    t["isResolved"] = m.group(1) == "resolve"
                    t["resolvedBy"] = self.me if t["isResolved"] else None
                    return {"data": {m.group(0): {"thread": {"isResolved": t["isResolved"]}}}}
            return {"data": None, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a node"}]}
        m = re.search(r"update(PullRequestReview|Issue)Comment", query)
        if m:
            if "write" in self.denied:
                return {"data": {m.group(0): None}, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]}
            for c in [t["comments"][0] for t in self.conversations] if m.group(1) != "Issue" else self.comments:
                if "N_%d" % c["databaseId"] == v["id"]:
                    if len(v["body"]) > self.BODY_MAX:
                        return {"data": None, "errors": [{"message": "Body is too long (maximum is 65536 characters)"}]}
                    c["body"] = v["body"]
                    return {"data": {m.group(0): {"clientMutationId": None}}}
            return {"data": None, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a node"}]}
        if (v["owner"], v["name"], v["number"]) != ("ada", "project", self.number):
            return {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}]}

        def shown(c):
            return {"id": "N_%d" % c["databaseId"], "body": c["body"], "viewerDidAuthor": c["author"] == self.me}

        pull = {"headRefOid": self.head}
        if "reviewThreads" in query:
            part, info = self.page_of(self.conversations, v.get("after"))
            pull["reviewThreads"] = {"pageInfo": info, "nodes": [
                {**{k: t[k] for k in ("id", "isResolved", "path", "line", "startLine")},
                 "comments": {"nodes": [shown(t["comments"][0])]}} for t in part]}
        else:
            part, info = self.page_of(self.comments, v.get("after"))
            pull["comments"] = {"pageInfo": info, "nodes": [shown(c) for c in part]}
        return {"data": {"repository": {"pullRequest": pull}}}

    # the same for all services

    def seen(self):
        """(path, line, text, resolved) of each conversation."""
        return [(t["path"], t["line"], t["comments"][0]["body"], t["isResolved"]) for t in self.conversations]

    def summaries(self):
        return [c["body"] for c in self.comments if c["author"] == self.me]

    def close(self, i, on=True):
        self.conversations[i]["isResolved"] = on
        self.conversations[i]["resolvedBy"] = "ada"

    def forge(self, body):
        """A comment of somebody else, with our mark in it."""
        self.conversations.append({"id": "PRRT_%d" % self.new_id(), "isResolved": False, "resolvedBy": None, "path": "x.py", "line": None,
                                   "startLine": None, "comments": [{"databaseId": self.new_id(), "body": body, "author": "eve"}]})
        self.comments.append({"databaseId": self.new_id(), "body": body, "author": "eve"})


# --- GitLab ---------------------------------------------------------------------------------------------------------------------

class GitLab(Host):
    prefix = "/api/v4"

    def __init__(self, *args, **more):
        self.discussions = []
        Host.__init__(self, *args, **more)

    def threads(self):
        return [d for d in self.discussions if d["notes"][0]["position"]]

    def move(self, thread, before):
        """An active note's position follows to the newest version; that of an outdated one stays."""
        position = thread["notes"][0]["position"]
        text = self.text_at(before, position["new_path"], position["new_line"])
        for hunk in self.files.get(position["new_path"], (None, []))[1]:
            for old, new, now in hunk:
                if new is not None and text == now:
                    position.update(new_line=new, head_sha=self.head)
                    return

    def check(self, headers):
        if headers.get("PRIVATE-TOKEN") != TOKEN:
            raise Refused(401, {"message": "401 Unauthorized"})

    def add(self, body, position):
        note = {"id": self.new_id(), "body": body, "author": {"id": 42, "username": self.me}, "resolvable": bool(position),
                "resolved": False, "position": position, "system": False}
        self.discussions.append({"id": "%040x" % self.new_id(), "individual_note": not position, "notes": [note]})
        return self.discussions[-1]

    def check_position(self, p):
        bad = {"message": "400 (Bad request) \"Note {:line_code=>[\"can't be blank\", \"must be a valid line code\"]}\" not given"}
        for key in ("position_type", "base_sha", "start_sha", "head_sha", "old_path", "new_path"):
            if not p.get(key):
                raise Refused(400, {"message": "position[%s] is missing" % key})
        if p["head_sha"] != self.head or p["position_type"] != "text":
            raise Refused(400, bad)
        old_path, hunks = self.files.get(p["new_path"], (None, []))
        if old_path != p["old_path"]:
            raise Refused(400, bad)
        for hunk in hunks:
            for old, new, _ in hunk:
                if new == p.get("new_line") and old == p.get("old_line"):
                    return
        raise Refused(400, bad)

    def answer(self, method, path, query, data):
        base = "/projects/ada%%2Fproject/merge_requests/%d" % self.number
        if path == "/user":
            return 200, {"id": 42, "username": self.me}
        if not path.startswith(base):
            raise Refused(404, {"message": "404 Project Not Found"})
        path = path[len(base):]
        if method != "GET" and "write" in self.denied:
            raise Refused(403, {"message": "403 Forbidden"})
        if method == "GET" and path == "/versions":
            return 200, [{"id": 2, "head_commit_sha": self.head, "base_commit_sha": "b" * 40, "start_commit_sha": "c" * 40},
                         {"id": 1, "head_commit_sha": "d" * 40, "base_commit_sha": "b" * 40, "start_commit_sha": "c" * 40}]
        if method == "GET" and path == "/discussions":
            return 200, self.discussions
        if method == "POST" and path == "/discussions":
            self.check_position(data["position"])
            return 201, self.add(data["body"], data["position"])
        if method == "POST" and path == "/notes":
            return 201, self.add(data["body"], None)["notes"][0]
        for d in self.discussions:
            note = d["notes"][0]
            if method == "PUT" and path == "/discussions/%s/notes/%d" % (d["id"], note["id"]):
                note["body"] = data["body"]
                return 200, note
            if method == "PUT" and path == "/notes/%d" % note["id"]:
                note["body"] = data["body"]
                return 200, note
            if method == "PUT" and path == "/discussions/" + d["id"]:
                if "resolve" in self.denied:
                    raise Refused(403, {"message": "403 Forbidden"})
                note["resolved"] = data["resolved"]
                return 200, d
        raise Refused(404, {"message": "404 Not found"})

    def seen(self):
        return [(d["notes"][0]["position"]["new_path"], d["notes"][0]["position"]["new_line"], d["notes"][0]["body"],
                 d["notes"][0]["resolved"]) for d in self.threads()]

    def summaries(self):
        return [d["notes"][0]["body"] for d in self.discussions if d["individual_note"] and d["notes"][0]["author"]["id"] == 42]

    def close(self, i, on=True):
        self.threads()[i]["notes"][0]["resolved"] = on

    def forge(self, body):
        d = self.add(body, None)
        d["notes"][0]["author"] = {"id": 66, "username": "eve"}


# --- Gitea and Forgejo -------------------------------------------------------------------------------------------------------------

class Gitea(Host):
    prefix = "/api/v1"

    def __init__(self, *args, **more):
        self.reviews, self.comments, self.can_resolve = [], [], True
        Host.__init__(self, *args, **more)

    def threads(self):
        return [c for r in self.reviews for c in r["comments"]]

    def move(self, thread, before):
        text = self.text_at(before, thread["path"], thread["position"])
        thread["position"] = (self.line_of(thread["path"], text) if text is not None else None) or 0

    def check(self, headers):
        if headers.get("Authorization") != "token " + TOKEN:
            raise Refused(401, {"message": "user does not exist [uid: 0, name: ]"})

    def answer(self, method, path, query, data):
        repo = "/repos/ada/project"
        pull = "%s/pulls/%d" % (repo, self.number)
        user = {"login": self.me}
        if path == "/user":
            return 200, user
        if method != "GET" and "write" in self.denied:
            raise Refused(403, {"message": "token does not have at least one of required scope(s)"})
        if method == "GET" and path == pull:
            return 200, {"number": self.number, "head": {"sha": self.head}}
        if method == "GET" and path == pull + "/reviews":
            return 200, [{"id": r["id"], "state": r["state"], "body": r["body"], "user": {"login": r["login"]}} for r in self.reviews]
        if method == "POST" and path == pull + "/reviews":
            review = {"id": self.new_id(), "state": "PENDING", "body": data["body"], "login": self.me, "comments": []}
            self.reviews.append(review)
            for c in data["comments"]:
                if c["old_position"] or self.hunk_with(c["path"], c["new_position"]) is None:
                    # the comments before it stay behind as a pending review
                    if not review["comments"]:
                        self.reviews.remove(review)
                    raise Refused(500, {"message": "", "url": self.url + "/swagger"})
                review["comments"].append({"id": self.new_id(), "body": c["body"], "path": c["path"], "position": c["new_position"],
                                           "original_position": 0, "resolver": None, "user": user})
            review["state"] = data["event"]
            return 200, {"id": review["id"]}
        m = re.fullmatch(pull + r"/reviews/(\d+)(/comments)?", path)
        for r in self.reviews:
            if m and r["id"] == int(m.group(1)):
                if method == "GET" and m.group(2):
                    return 200, r["comments"]
                if method == "DELETE":
                    self.reviews.remove(r)
                    return 204, None
        m = re.fullmatch(pull + r"/comments/(\d+)/(resolve|unresolve)", path)
        if m and method == "POST" and self.can_resolve:
            for c in self.threads():
                if c["id"] == int(m.group(1)):
                    c["resolver"] = user if m.group(2) == "resolve" else None
                    return 200, c
        issue = "%s/issues/%d/comments" % (repo, self.number)
        if method == "GET" and path == issue:
            return 200, self.comments
        if method == "POST" and path == issue:
            self.comments.append({"id": self.new_id(), "body": data["body"], "user": user})
            return 201, self.comments[-1]
        m = re.fullmatch(repo + r"/issues/comments/(\d+)", path)
        for c in self.threads() + self.comments:
            if m and method == "PATCH" and c["id"] == int(m.group(1)):
                c["body"] = data["body"]
                return 200, c
        raise Refused(404, {"message": "The target couldn't be found.", "errors": None})

    def seen(self):
        return [(c["path"], c["position"], c["body"], c["resolver"] is not None) for c in self.threads()]

    def summaries(self):
        return [c["body"] for c in self.comments if c["user"]["login"] == self.me]

    def close(self, i, on=True):
        self.threads()[i]["resolver"] = {"login": "ada"} if on else None

    def forge(self, body):
        self.comments.append({"id": self.new_id(), "body": body, "user": {"login": "eve"}})
        self.reviews.append({"id": self.new_id(), "state": "COMMENT", "body": "", "login": "eve", "comments": [
            {"id": self.new_id(), "body": body, "path": "x.py", "position": 1, "original_position": 0, "resolver": None,
             "user": {"login": "eve"}}]})


HOSTS = {"github": GitHub, "gitlab": GitLab, "gitea": Gitea}
