"""A singleton made in __new__: there may be only one."""
from hammer import prove, together


def attempt(m):
    got = []
    together(lambda _: got.append(m.Settings()), threads=8)
    if len({id(x) for x in got}) != 1:
        return "%d different objects" % len({id(x) for x in got})


prove(attempt)
