"""A recursive memo table: the function runs once for each number, and the lock does not block itself."""
from hammer import prove, together


def attempt(m):
    together(lambda _: m.paths(60), threads=6)
    if len(m.computed) != len(set(m.computed)):
        return "%d computations of %d numbers" % (len(m.computed), len(set(m.computed)))


prove(attempt)
