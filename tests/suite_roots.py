#!/usr/bin/env python3
"""Every way to start a thread that src/know/threads.def knows: a program for each row, made from the row itself, in which the
function updates a global that others update too. The finding must name the row's thread. Then rows of the configuration, and
programs that look like threads and are none."""
import os
import re
import sys

import lib
from lib import ungil, write_tree

ROW = re.compile(r'^ROOT_(CALL_ARG|CALLBACK|METHOD_ARG|SERVED|LOOP_CALL|LOOP_METHOD|BASE|DECORATOR|ATTRIBUTE)\((.*)\)$')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,\s]+)')

BODY = '''    global total
    total += 1
'''
MAIN = '''

def main():
    global total
    start()
    total += 1


if __name__ == "__main__":
    main()
'''


def rows():
    text = lib.read_file(os.path.join(lib.TOP, "src", "know", "threads.def")).decode()
    for line in text.splitlines():
        found = ROW.match(line)
        if found:
            yield found.group(1), [s if s or not w else w for s, w in STRING.findall(found.group(2))]


def imported(dotted):
    """Import statement and expression for a dotted name of a library."""
    module, _, name = dotted.rpartition(".")
    return ("import %s\n" % module, dotted) if module else ("import %s\n" % name, name)


def nth(position, keyword, value):
    """Arguments with the value at its position, or by its keyword when others stand before it."""
    return "(%s)" % ", ".join(["None"] * position + [value])


def program(kind, row):
    """The source of a program that uses the row."""
    job = "def job(*args):\n" + BODY
    if kind == "LOOP_CALL":
        kind, row = "CALL_ARG", row[:3] + ["false"] + row[3:]
    if kind == "LOOP_METHOD":
        kind, row = "METHOD_ARG", row[:1] + ["TYPE_KINDS"] + row[1:3] + ["NULL", "false"] + row[3:]
    if kind in ("CALL_ARG", "CALLBACK"):
        name, position, keyword, many, label = row
        top, call = imported(name)
        extra = 'joblib.Parallel(backend="threading")' if name.startswith("joblib") else ""
        if name == "atexit.register":  # runs in the main thread, when the rest of that has ended
            top, extra = top + "import threading\n", "threading.Thread(target=lone, daemon=True).start()"
            job += "\n\ndef lone():\n" + BODY
        return top + "total = 0\n\n\n" + job + "\n\ndef start():\n    %s\n    %s%s\n" % (
            extra or "pass", call, nth(int(position), keyword, "job")) + MAIN
    if kind == "METHOD_ARG":
        name, kind_, position, keyword, packages, many, label = row
        top = "import concurrent.futures\n"
        if packages != "NULL":
            top += "import %s\n" % packages.split()[0]
        made = "receiver = concurrent.futures.ThreadPoolExecutor()" if kind_ == "TYPE_EXECUTOR" else "receiver = make()"
        if name == "add_done_callback":
            made = "receiver = concurrent.futures.ThreadPoolExecutor().submit(print)"
        return top + "total = 0\n\n\n" + job + "\n\ndef start():\n    %s\n    receiver.%s%s\n" % (
            made, name, nth(int(position), keyword, "job")) + MAIN
    if kind == "SERVED":
        name, position, keyword, packages, label = row
        top = "import %s\n" % packages.split()[0]
        service = "class Service:\n    def job(self):\n" + "".join("    " + line + "\n" for line in BODY.splitlines())
        return top + "total = 0\n\n\n" + service + "\n\ndef start():\n    make().%s%s\n" % (
            name, nth(int(position), keyword, "Service()")) + MAIN
    if kind == "BASE":
        base, method, many, own, label = row
        method = "work" if method == "*" else method.rstrip("*") + ("thing" if method.endswith("_*") else "")
        init, params = "", "*args"
        if base.startswith("("):
            top, name = "", "object"
            given, other = base[1:].split(")")
            init = "    def __init__(self, %s):\n        self.given = %s\n\n" % (given, given)
            params = "*args" if not other else "environ," + other
        elif base.endswith(":"):
            top, name = "import %s\n" % base[:-1], "object"
        elif base.startswith("*"):
            top, name = "import service_pb2_grpc\n", "service_pb2_grpc.Some" + base[1:]
        else:
            top, name = imported(base)
        body = "".join("    " + line + "\n" for line in BODY.splitlines())
        return top + "total = 0\n\n\nclass Job(%s):\n%s    def %s(self, %s):\n%s\n\ndef start():\n    Job(%s)\n" % (
            name, init, method, params, body, "print" if init else "") + MAIN
    if kind == "DECORATOR":
        name, receivers, many, label = row
        if "." in name:
            top, decorator = imported(name)
        else:
            top, decorator = "from somewhere import *\n", (receivers.split() + [""])[0]
            if "." in decorator:  # known by what makes it only
                top, made = imported(decorator)
                top, decorator = top + "thing = %s()\n" % made, "thing"
            decorator = decorator + "." + name if decorator else name
        return top + "total = 0\n\n\n@%s\n" % decorator + job + "\n\ndef start():\n    pass\n" + MAIN
    name, packages, many, label = row
    return "import %s\ntotal = 0\n\n\n" % packages.split()[0] + job + \
        "\n\ndef start():\n    client = make()\n    client.%s = job\n" % name + MAIN


def found_roots(files, *options):
    with lib.temporary() as folder:
        write_tree(folder, files)
        result = ungil("check", "--format", "json", "--isolated" if "ungil.toml" not in files else "--jobs=1", *options,
                       ".", cwd=folder)
        if result.code == 2 or result.crashed:
            return result, None
        roots = [root for f in result.json()["findings"] if f["rule"] == "UG101" for s in f["sites"] for root in s["roots"]]
        return result, roots


def test_rows(c):
    seen = set()

    def one(item):
        kind, row = item
        text = program(kind, row)
        label = row[-1].split("%s")
        wrong = lib.compiles(text, "%s %s" % (kind, row[0]))
        if not c.check(not wrong, wrong):
            return
        result, roots = found_roots({"job.py": text})
        c.check(roots and any(r.startswith(label[0]) and label[1] in r for r in roots),
                lambda: "no root of %s %s in %s\n%s\n%s" % (kind, row, roots, text, result))

    items = list(rows())
    for kind, _ in items:
        seen.add(kind)
    c.check(len(items) > 120 and len(seen) == 9, "%d rows of %s" % (len(items), seen))
    lib.each(one, items)


THREADLESS = {
    "asyncio": '''import asyncio

total = 0


async def job():
    global total
    total += 1
    await asyncio.sleep(0)
    total += 1


async def many():
    await asyncio.gather(*[job() for _ in range(9)])


asyncio.run(many())
''',
    "processes": '''import concurrent.futures
import multiprocessing

total = 0


def job(n):
    global total
    total += 1


if __name__ == "__main__":
    multiprocessing.Process(target=job, args=(1,)).start()
    with multiprocessing.Pool(4) as pool:
        pool.map(job, range(9))
    with concurrent.futures.ProcessPoolExecutor() as executor:
        executor.submit(job, 1)
    job(1)
''',
    "joblib processes": '''import joblib

total = 0


def job(n):
    global total
    total += 1


if __name__ == "__main__":
    joblib.Parallel(n_jobs=4)(joblib.delayed(job)(n) for n in range(9))
    job(1)
''',
    "gevent": '''from gevent import monkey

monkey.patch_all()
import threading

import gevent

total = 0


def job():
    global total
    total += 1


if __name__ == "__main__":
    gevent.joinall([gevent.spawn(job) for _ in range(9)])
    threading.Thread(target=job).start()
    job()
''',
    "eventlet": '''import eventlet

eventlet.monkey_patch()
total = 0


def job():
    global total
    total += 1


if __name__ == "__main__":
    eventlet.spawn(job)
    job()
''',
    "tkinter": '''import tkinter

total = 0
window = tkinter.Tk()


def tick():
    global total
    total += 1
    window.after(100, tick)


window.after(100, tick)
window.mainloop()
''',
    "schedule": '''import schedule

total = 0


def job():
    global total
    total += 1


if __name__ == "__main__":
    schedule.every(10).minutes.do(job)
    while True:
        schedule.run_pending()
''',
    "the main thread at exit": '''import atexit

total = 0


def job():
    global total
    total += 1


atexit.register(job)

if __name__ == "__main__":
    job()
''',
    "single": '''total = 0


def job():
    global total
    total += 1


if __name__ == "__main__":
    job()
''',
}


def test_no_threads(c):
    for name, text in THREADLESS.items():
        result, roots = found_roots({"job.py": text}, "--min-confidence", "low")
        c.check(result.code == 0 and result.json()["findings"] == [], lambda: "%s\n%s" % (name, result))


OWN = '''from app import pool

total = 0


def job(n=0):
    global total
    total += 1


def lone():
    global total
    total -= 1


@pool.background
def decorated():
    global total
    total += 2


class Work(pool.Base):
    def handle(self):
        global total
        total += 3


def start():
    pool.spawn("name", job)
    machine = pool.machine()
    machine.enqueue(job)
    machine.on_tick = job


if __name__ == "__main__":
    start()
'''
POOL = '''class Base:
    pass


def background(f):
    return f


def spawn(name, f):
    return external(f)


def machine():
    return unknown()
'''


def test_configured(c):
    """[[tool.ungil.roots]] in each of its forms."""
    for row, label in (
            ('call = "app.pool.spawn"\nargument = 1', "spawn(job)"),
            ('call = "app.pool.spawn"\nargument = 1\nthread = "the pool\'s thread"', "the pool's thread at app/main.py"),
            ('method = "enqueue"\nargument = 0', "enqueue(job)"),
            ('base = "app.pool.Base"\nmethod = "handle"', "Work.handle"),
            ('decorator = "app.pool.background"', "@background decorated"),
            ('attribute = "on_tick"', "on_tick = job"),
            ('function = "app.main.lone"', "app.main.lone")):
        files = {"app/pool.py": POOL, "app/main.py": OWN, "ungil.toml": "[[roots]]\n" + row + "\n"}
        result, roots = found_roots(files)
        c.check(roots and any(r.startswith(label) for r in roots), lambda: "%s: %s\n%s" % (row, roots, result))
    base = {"app/pool.py": POOL, "app/main.py": OWN}
    result, roots = found_roots(base)
    c.check(roots == [], lambda: "without a row\n%s" % result)
    result, roots = found_roots(base, "--extend-roots", "app.main.lone")
    c.check(roots and any(r.startswith("app.main.lone") for r in roots), result)
    # one thread alone races with nobody
    one = {**base, "ungil.toml": '[[roots]]\nfunction = "app.main.lone"\nmany = false\n'}
    result, roots = found_roots(one)
    c.check(roots == [], lambda: "one thread\n%s" % result)


def test_unmatched(c):
    """A root that names nothing is said, in each of its forms, and nothing else is."""
    base = {"app/pool.py": POOL, "app/main.py": OWN}
    named = '[[roots]]\nfunction = "app.main.lone"\n[[roots]]\ncall = "app.pool.spawn"\nargument = 1\n'
    for toml, missing in ((named, []), (named + '[[roots]]\nfunction = "app.main.alone"\n', ["app.main.alone"]),
                          ('[[roots]]\nbase = "app.pool.Bass"\nmethod = "handle"\n', ["app.pool.Bass"]),
                          ('[[roots]]\ndecorator = "app.pool.backgrund"\n', ["app.pool.backgrund"]),
                          ('extend-roots = ["app.main.lone", "main.lone"]\n', ["main.lone"])):
        with lib.temporary() as folder:
            write_tree(folder, {**base, "ungil.toml": toml})
            result = ungil("check", "--format", "json", cwd=folder)
            notes = [n["message"] for n in result.json()["notes"] if n["code"] == "root-not-found"]
            c.check(len(notes) == len(missing) and all("'%s'" % m in n for m, n in zip(missing, notes)), result)


def test_configured_wrong(c):
    for row, line, words in (('function = "a.f"\nmanny = true', 3, "manny"), ('many = true', 1, "call"),
                             ('call = "a.f"\nfunction = "a.g"', 1, "one of"), ('call = 3', 2, "a string"),
                             ('base = "a.B"', 1, "method"), ('call = "a.f"\nargument = true', 3, "argument"),
                             ('function = "a.f"\nmany = "yes"', 3, "true or false"),
                             ('function = "a.f"\nthread = "50% more"', 3, "%")):
        with lib.temporary() as folder:
            write_tree(folder, {"a.py": "", "ungil.toml": "[[roots]]\n" + row + "\n"})
            result = ungil("check", cwd=folder)
            c.code(result, 2)
            c.has(result, "ungil.toml:%d" % line, words, stream="err")
    with lib.temporary() as folder:
        write_tree(folder, {"a.py": "", "ungil.toml": "roots = 3\n"})
        c.has(ungil("check", cwd=folder), "ungil.toml:1", "array of tables", stream="err")


if __name__ == "__main__":
    suite = lib.Suite("roots")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
