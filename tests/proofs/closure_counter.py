"""A counter in the variable of the function that starts the threads."""
from hammer import THREADS, prove

N = 20_000


def attempt(m):
    found = m.count_up(THREADS, N)
    if found != THREADS * N:
        return "%d of %d" % (found, THREADS * N)


prove(attempt)
