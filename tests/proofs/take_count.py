"""Counted by some threads, taken by others: what is taken is what was counted."""
from hammer import THREADS, prove, together


def attempt(m):
    taken = []

    def use(i):
        if i % 2:
            for _ in range(5_000):
                m.hit()
        else:
            taken.append(sum(m.take_hits() for _ in range(5_000)))

    together(use)
    got = sum(taken) + m.take_hits()
    expected = 5_000 * (THREADS // 2)
    if got != expected:
        return "%d hits, %d taken" % (expected, got)


prove(attempt)
