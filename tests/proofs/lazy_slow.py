"""A lazily made object whose making takes time: whoever asks gets the same one."""
from hammer import prove, together


def attempt(m):
    got = []
    together(lambda _: got.append(m.connection()), threads=8)
    if len({id(x) for x in got}) != 1:
        return "%d different objects" % len({id(x) for x in got})


prove(attempt)
