"""d[k] = d.get(k, 0) + 1 by several threads."""
from hammer import THREADS, prove, together

N = 5_000


def attempt(m):
    together(lambda _: m.count_all(["GET", "POST"] * N))
    if sum(m.by_method.values()) != THREADS * 2 * N:
        return "%r instead of %d each" % (m.by_method, THREADS * N)


prove(attempt)
