"""A counter in the enclosing function's variable."""
from hammer import THREADS, prove, together

N = 20_000


def attempt(m):
    bump, value = m.make_counter()

    def use(_):
        for _ in range(N):
            bump()

    together(use)
    if value() != THREADS * N:
        return "%d of %d" % (value(), THREADS * N)


prove(attempt)
