#!/usr/bin/env python3
"""Where a lock was put, the objects still behave: the fixtures of fixtures/hazards/, fixed and then used under this Python.

Each is loaded as it was and as `ungil fix` leaves it, and what is asked of it here must hold for both: equality, repr, hash, asdict,
replace, copies and pickles. What only the fixed one has, its locks, is asked for with `fixed`.
"""
import os
import sys

import lib

# A program is run with m, the module; fixed, whether it is the fixed one; own(a, b), whether a and b have different locks, and locks.
START = """import copy, dataclasses, faulthandler, importlib.util, pickle, sys, threading
path = %r
sys.path.insert(0, path.rpartition("/")[0])
spec = importlib.util.spec_from_file_location("subject", path)
m = importlib.util.module_from_spec(spec)
sys.modules["subject"] = m
spec.loader.exec_module(m)
fixed = %r

def own(a, b, name):
    return not fixed or getattr(a, name) is not getattr(b, name)

def hammer(function, n=4):
    threads = [threading.Thread(target=function) for _ in range(n)]
    [t.start() for t in threads]
    [t.join() for t in threads]

"""
PROGRAMS = {
    "forks": """
import os, signal, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)
signal.alarm(30)  # a child that waits for ever
for _ in range(5):
    held = threading.Event()
    def hold():
        with m._total_lock if fixed else threading.Lock():
            held.set()
            time.sleep(0.05)
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    assert m.child() == 1
    holder.join()
    assert m.total == 0 and not (fixed and m._total_lock.locked())
hammer(m.work)
assert m.child() == 5
""",
    "slots": """
a, b = m.Tally("a"), m.Tally("b")
hammer(lambda: [a.add(1) for _ in range(100)])
assert a.total == 400 and b.total == 0 and not hasattr(a, "__dict__") and own(a, b, "_total_lock")
g = m.Gauge()
g.widen()
assert g.high == 1 and own(g, m.Gauge(), "_high_lock")
n = m.Named()
n.up()
assert n.count == 1
""",
    "dataclasses": """
a, b = m.Stats("a"), m.Stats("a")
assert a == b and own(a, b, "_hits_lock") and own(a, b, "_misses_lock")
hammer(lambda: [a.hit() for _ in range(100)])
assert a.hits == 400 and repr(a) == "Stats(name='a', hits=400, misses=0)" and a != b
assert dataclasses.asdict(a) == {"name": "a", "hits": 400, "misses": 0} and dataclasses.astuple(b) == ("a", 0, 0)
assert [f.name for f in dataclasses.fields(a)] == ["name", "hits", "misses"] and dataclasses.replace(a, hits=0) == b
x = m.Budget(3)
assert x == m.Budget(3) and x < m.Budget(4) and own(x, m.Budget(3), "_spent_lock")
try:
    m.Budget(-1)
except ValueError:
    x.spend(2)
assert x.spent == 2 and repr(x) == "Budget(limit=3, spent=2.0)"
s = m.Slotted()
s.up()
assert s == m.Slotted(1) and pickle.loads(pickle.dumps(s)) == s
c = m.Child()
c.up()
assert c == m.Child(1) and dataclasses.asdict(c) == {"n": 1}
""",
    "frozen_dataclass": """
a, b = m.Registry("a"), m.Registry("a")
a.add("x")
b.add("x")
assert a == b and repr(a) == "Registry(name='a', counts={'x': 1})" and own(a, b, "_counts_lock")
assert dataclasses.asdict(a) == {"name": "a", "counts": {"x": 1}} and dataclasses.replace(a, name="b").name == "b"
try:
    a.name = "c"
    raise SystemExit("it is not frozen any more")
except dataclasses.FrozenInstanceError:
    pass
""",
    "setattr_override": """
o = m.Options(3)
hammer(lambda: [o.run() for _ in range(100)])
assert (o.level, o.runs) == (3, 400) and own(o, m.Options(3), "_runs_lock")
try:
    o.other = 1
    raise SystemExit("the check is gone")
except AttributeError:
    pass
""",
    "attributes_walked": """
assert m.Point(1) == m.Point(1) and m.Point(1) != m.Point(2) and repr(m.Shown(1)) == "Shown(x=1, moves=0)"
p = m.Point(1)
p.move()
assert p.moves == 1 and pickle.loads(pickle.dumps(p)) == p == copy.deepcopy(p)
""",
    "named_tuple": """
p = m.Page("a", {})
p.view("x")
assert p == ("a", {"x": 1}) and pickle.loads(pickle.dumps(p)) == p == copy.deepcopy(p) and p._fields == ("name", "views")
assert [c.name for c in m.Color] == ["RED", "BLUE"]
""",
    "getattr_proxy": """
p = m.Proxy([1])
p.append(2)
assert p.target == [1, 2] and p.calls == 1
q = object.__new__(m.Proxy)
try:
    q.append
except (AttributeError, KeyError, RecursionError):
    pass
""",
    "pickled": """
class Sub(m.Job): pass
job = m.Job("a")
job.attempt(str)
for other in (pickle.loads(pickle.dumps(job)), copy.copy(job), copy.deepcopy(job), pickle.loads(pickle.dumps(job, 0))):
    assert (other.name, other.tries) == ("a", 1) and own(job, other, "_tries_lock")
    other.attempt(str)
    assert (other.tries, job.tries) == (2, 1)
""",
    "pickled_own": """
def others(o):
    return [pickle.loads(pickle.dumps(o, n)) for n in range(6)] + [copy.copy(o), copy.deepcopy(o)]

job, task, point, limit, meter = m.Job("a", {1: 2}), m.Task("h"), m.Point(3), m.Limit(9), m.Meter()
for o, name, change in (job, "tries", job.attempt), (task, "done", task.step), (point, "moves", point.move), (limit, "left", limit.take), (meter, "value", meter.up):
    change()
    value = getattr(o, name)
    for other in others(o):
        assert getattr(other, name) == value and own(o, other, "_%s_lock" % name) and type(other) is type(o)
        hammer(getattr(other, change.__name__))
        assert abs(getattr(other, name) - value) == 4 and getattr(o, name) == value
for other in others(job):
    assert {k: v for k, v in vars(other).items() if "lock" not in k} == {"name": "a", "tries": 1, "cache": {}}
assert job.__getstate__() == {"name": "a", "tries": 1} and job.cache == {1: 2}
assert task.__getstate__() == {"handle": None, "done": 1} and point.__getstate__() == (3, 1) and limit.__getstate__() == {"n": 9, "left": 8}
old = m.Limit.__new__(m.Limit)
old.__setstate__({"n": 7})
old.take()
assert old.left == 6
old = m.Meter.__new__(m.Meter)
old.__setstate__({"version": 1})
old.up()
assert (old.version, old.value) == (1, 1)
""",
    "keys_of_callers": """
class Key:
    def __hash__(self):
        return 1
    def __eq__(self, other):
        m.recent.touch("other")
        return False

faulthandler.dump_traceback_later(20, exit=True)
m.recent._order[1] = m.recent._order["other"] = 0
m.recent.touch(Key())
m.recent.drop(Key())
assert list(m.recent._order) == [1, "other"]
""",
    "pickled_by_relatives": """
for o in m.block, m.visits:
    for other in [pickle.loads(pickle.dumps(o, n)) for n in range(2, 6)] + [copy.copy(o), copy.deepcopy(o)]:
        other.miss() if o is m.block else other.visit()
""",
    "walks_itself": """
m.work()
assert m.ordered.keys() == ["a"] * len(m.ordered._order) and m.upper.keys() == ["A"]
assert m.plain.names() == ["a"] and m.plain.pairs() == ["a=1"]
""",
    "pickled_own_way": """
for cls in m.Whole, m.Alias, m.Told, m.Cleared, m.Empty, m.Derived, m.Printed:
    o = cls()
    o.up()
    for other in [pickle.loads(pickle.dumps(o, n)) for n in range(6)] + [copy.copy(o), copy.deepcopy(o)]:
        assert other.n == 1 and vars(other) == {"n": 1}
        other.up()
        assert other.n == 2
""",
    "users_copy": """
def others(o):
    return [pickle.loads(pickle.dumps(o, n)) for n in range(2, 6)] + [copy.copy(o), copy.deepcopy(o)]

def plain(o):
    return {k: v for k, v in vars(o).items() if not k.endswith("_lock")}

class Nearest(m.Recent):
    def __init__(self):
        super().__init__(5)
        self.at = 0

class Held(m.Circle):
    def __init__(self):
        super().__init__("h")
        self.file = sys.stdout
    def __getstate__(self):
        state = super().__getstate__() if hasattr(m.Circle, "__getstate__") else dict(vars(self))
        return {**state, "file": None}
    def __setstate__(self, state):
        getattr(super(), "__setstate__", vars(self).update)(state)
        self.file = sys.stdout

class Named(m.Circle):
    def __reduce__(self):
        return Named, (self.name,)

index = m.Index()
index["a"] = 1
sys.modules["__main__"].__dict__.update(Nearest=Nearest, Held=Held, Named=Named)
for o, name, change in ((m.Recent(3), "reads", lambda o: 1 in o or o.get(1)), (m.Circle("a"), "moves", lambda o: o.move()), (m.Stats("a"), "hits", lambda o: o.hit()),
                        (m.Rows(), "reads", lambda o: o.read(1)), (index, "stores", lambda o: o.update(a=1)), (m.Shown(), "uses", lambda o: o.use()), (Nearest(), "reads", lambda o: o.get(1)), (Held(), "moves", lambda o: o.move()), (Named("n"), "left", lambda o: o.spend()),
                        (m.Options(1), "runs", lambda o: o.run()), (m.Point(), "x", lambda o: o.right()), (m.Cloned("c"), "uses", lambda o: o.use())):
    for other in others(o):
        assert type(other) is type(o) and plain(other) == plain(o) or type(o) in (Held, Named), (o, plain(o), plain(other))
        locks = [k for k in vars(other) if k.endswith("_lock")]
        assert len(locks) == len([k for k in vars(o) if k.endswith("_lock")]) and all(own(o, other, k) for k in locks)
        value = getattr(other, name)
        hammer(lambda: change(other))
        assert abs(getattr(other, name) - value) >= 4 and getattr(o, name) == value
    old = type(o).__new__(type(o))  # as a pickle that was made before
    getattr(old, "__setstate__", vars(old).update)(plain(o))
    change(old)
registry = m.Registry("r", {1: 0})
copies = others(registry)
assert all(other == registry and own(registry, other, "_counts_lock") for other in copies)
for other in copies:
    hammer(lambda: other.add(1))
label = m.Labelled()
label.label = "x"
assert [other.label for other in others(label)] == ["x"] * 6
checked = m.Checked()
checked[1] = 2
for other in others(checked):
    assert other == {1: 2} and other.stores >= 1
clone = m.Cloned("c").clone()
clone.use()
assert clone.uses == 1
refusing, pump, line = m.Refusing(), m.Pump(), m.Line("h")
for o, change in (refusing, refusing.use), (pump, pump.start), (line, line.send):
    change()
    assert not fixed or len([k for k in vars(o) if k.endswith("_lock")]) == 1
""",
    "deepcopied": """
q = m.Quota(3)
q.use(1)
c = q.clone()
c.use(1)
assert (q.used, c.used) == (1, 2) and own(q, c, "_used_lock")
""",
}


def use(suite, name, program):
    case = os.path.join(lib.FIXTURES, "hazards", name + ".before")
    marked = lib.read_tree(case) if os.path.isdir(case) else {name + ".py": lib.read_file(case + ".py")}
    with lib.temporary() as folder:
        path = os.path.join(folder, name + ".py")
        lib.write_tree(folder, {n: lib.take_marks(n, d)[0] if n.endswith(".py") else d for n, d in marked.items()})
        before = lib.read_file(path)
        for fixed in (False, True):
            if fixed:
                lib.ungil("fix", "--no-cache", *lib.first_line_options(marked[name + ".py"]), ".", cwd=folder)
                suite.check(name + " changed", lib.read_file(path) != before, "fix changes nothing")
            run = lib.execute([sys.executable, "-c", START % (path, fixed) + program])
            suite.check("%s %s" % (name, "fixed" if fixed else "as it was"), run.code == 0,
                        lambda: "%s\n%s" % (run, lib.read_file(path).decode()))


FORKS = """import os
import threading

total = 0


def work():
    global total
    total += 1


def start():
    for _ in range(4):
        threading.Thread(target=work).start()
    %s
"""


def forks(suite):
    """A program that forks is told so where its new lock is explained; others are not."""
    for line, told in (("os.fork()", True), ("os.getpid()", False)):
        with lib.temporary() as folder:
            lib.write_file(os.path.join(folder, "a.py"), (FORKS % line).encode())
            plan = lib.ungil("diff", "--no-cache", "--dump", "plan", "a.py", cwd=folder)
            suite.check("fork", "_total_lock" in plan.out and told == ("a.py:15 forks" in plan.out and "os.register_at_fork" in plan.out), plan)


def main():
    suite = lib.Suite("hazards")
    if suite.wanted("fork"):
        forks(suite)
    for name, program in sorted(PROGRAMS.items()):
        if suite.wanted(name):
            use(suite, name, program)
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
