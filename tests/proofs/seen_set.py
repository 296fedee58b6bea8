"""Every address is visited once."""
from hammer import prove, together

N = 2_000


def attempt(m):
    visited = []
    together(lambda _: m.visit_all(range(N), visited.append))
    if len(visited) != N:
        return "%d visits of %d addresses" % (len(visited), N)


prove(attempt)
