"""Groups of lists: a group that two threads both make loses what the first one put in."""
from hammer import THREADS, prove, together

N = 3_000


def attempt(m):
    together(lambda _: m.collect("%d x" % i for i in range(N)))
    found = sum(map(len, m.by_host.values()))
    if found != THREADS * N:
        return "%d of %d lines" % (found, THREADS * N)


prove(attempt)
