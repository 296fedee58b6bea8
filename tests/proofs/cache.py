"""A dictionary cache whose factory takes a moment: it must run once for each key, and all must get the same object."""
import time

from hammer import THREADS, prove, together


def attempt(m):
    calls, got = [], []

    def factory(key):
        calls.append(key)
        time.sleep(0.001)
        return object()

    m.render = factory
    together(lambda _: got.append([m.page(key) for key in range(5)]))
    if len(calls) != 5:
        return "the factory ran %d times for 5 keys" % len(calls)
    if any(row != got[0] for row in got):
        return "threads got different objects"


prove(attempt)
