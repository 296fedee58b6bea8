"""A global counter: += by several threads."""
from hammer import THREADS, prove, together

N = 20_000


def attempt(m):
    together(lambda _: m.record_views(N))
    if m.page_views != THREADS * N:
        return "%d of %d increments" % (m.page_views, THREADS * N)


prove(attempt)
