"""with lock: read; with lock: write: no more may be sold than there is."""
from hammer import prove, together


def attempt(m):
    together(lambda _: m.work())
    if len(m.sold) != 100:
        return "%d of 100 seats sold" % len(m.sold)


prove(attempt)
