"""self.n += 1 on an object that threads share."""
from hammer import THREADS, prove, together

N = 10_000


def attempt(m):
    meter = m.Meter("requests")
    together(lambda _: meter.tick_many(N))
    if meter.value != THREADS * N:
        return "%d of %d ticks" % (meter.value, THREADS * N)


prove(attempt)
