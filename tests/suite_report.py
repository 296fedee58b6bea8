#!/usr/bin/env python3
"""`ungil report`: one page that stands alone, with all that was found, and nothing of the source taken for HTML."""
import html.parser
import os
import re
import stat
import sys

import lib
from lib import git_start, temporary, ungil, write_tree

VOID = {"meta", "br"}
PAGE = {
    "app/stats.py": "import threading\n\nhits = 0\n_lock = threading.Lock()\n\n\n"
                    "def hit(text=\"</code></pre><script>alert('&amp;')</script>\"):\n    global hits\n    hits += 1  # \u202e < & \"\n\n\n"
                    "def start():\n    for _ in range(2):\n        threading.Thread(target=hit).start()\n",
    "app/guarded.py": "import threading\n\n_lock = threading.Lock()\nseen = {}\n\n\ndef see(k):\n    with _lock:\n        seen[k] = 1\n\n\n"
                      "def forget(k):\n    with _lock:\n        seen.pop(k, None)\n",
    "app/broken.py": "def f(:\n    pass\n",
}


class Page(html.parser.HTMLParser):
    """Tags that are open, ids, and the text without them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.ids, self.links, self.tags = [], [], [], [], set()
        self.feed(text)
        self.wrong += self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append("/" + tag)


def report(folder, *options):
    return ungil("report", "--isolated", "--no-cache", *options, cwd=folder)


def test_page(s):
    """Well-formed, alone, escaped; each finding and each step is in it."""
    with temporary() as folder:
        write_tree(folder, PAGE)
        result = report(folder)
        page = Page(result.out)
        s.equal(result.code, 1, "a finding\n" + result.err)
        s.equal(page.wrong, [], "all tags are closed")
        s.equal(len(page.ids), len(set(page.ids)), "ids are unique")
        s.check(all(x.startswith("#") and x[1:] in page.ids for x in page.links), lambda: "links: %s" % page.links)
        s.check("script" not in page.tags and "link" not in page.tags, lambda: "tags: %s" % page.tags)
        s.check("\u202e" not in result.out and "[U+202E]" in result.out, "what reorders text is shown")
        s.check("<ins>+" in result.out, "the edit is shown")
        s.check("app.guarded.seen" in result.out and "app.guarded._lock" in result.out, "the guard table")
        s.check("app/broken.py" in result.out, "what was not analysed")
        s.equal(report(folder).out, result.out, "the same page again")
        found = ungil("check", "--isolated", "--no-cache", "--format", "json", cwd=folder).json()["findings"]
        for f in found:
            s.check("f" + f["fingerprint"] in page.ids, lambda: "%s is not in the page" % f["fingerprint"])
        for command in re.findall("ungil fix --only ([0-9a-f,]+)", result.out):
            s.check(set(command.split(",")) <= {f["fingerprint"] for f in found}, lambda: command)


def test_folded(s):
    """Many findings are folded by file; a project without findings has a page, too."""
    with temporary() as folder:
        write_tree(folder, {"m%02d.py" % i: "n = 0\n\n\ndef more():\n    global n\n    n += 1\n" for i in range(30)})
        page = report(folder).out
        s.check("<details><summary><h3>m00.py" in page, "folded")
        s.equal(Page(page).wrong, [], "all tags are closed")
    with temporary() as folder:
        write_tree(folder, {"a.py": "x = 1\n"})
        result = report(folder)
        s.equal((result.code, Page(result.out).wrong), (0, []), "nothing found")


def test_since(s):
    """--base: what went and what came."""
    with temporary() as folder:
        write_tree(folder, {"a.py": "n = 0\n\n\ndef more():\n    global n\n    n += 1\n"})
        git_start(folder)
        write_tree(folder, {"a.py": "x = 1\n"})
        page = report(folder, "--base", "HEAD").out
        s.check("<tr><td>all</td><td>1</td><td>0</td><td>1</td><td>0</td></tr>" in page, lambda: page)
        s.equal(report(folder, "--base", "no-such-revision").code, 2, "a revision that is none")


def test_file(s):
    """-o writes the page; where it cannot be written nothing is left behind."""
    with temporary() as folder:
        write_tree(folder, PAGE)
        out = os.path.join(folder, "page.html")
        result = report(folder, "-o", out)
        s.equal((result.code, result.out), (1, ""), "to a file")
        with open(out, encoding="utf-8") as f:
            s.equal(f.read(), report(folder).out, "the same page")
        s.equal(report(folder, "-o", os.path.join(folder, "none", "page.html")).code, 2, "a folder that is not there")
        s.equal(report(folder, "--format", "json").code, 2, "another format")
        pipe = os.path.join(folder, "pipe")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        s.equal(report(folder, "-o", pipe).code, 1, "to a pipe")
        s.equal(os.read(reader, 1 << 20).decode(), report(folder).out, "the page comes through it")
        os.close(reader)
        s.check(stat.S_ISFIFO(os.stat(pipe).st_mode), "the pipe is still one")


if __name__ == "__main__":
    suite = lib.Suite("report")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
