"""A list as a queue: every job must be done once, and no worker may die."""
from hammer import THREADS, prove, together

N = 500


def attempt(m):
    m._jobs.extend(range(N))
    done = []
    errors = together(lambda _: m.work(done.append))
    if errors:
        return "a worker died of %r" % errors[0]
    if sorted(done) != list(range(N)):
        return "%d jobs done, %d different ones, of %d" % (len(done), len(set(done)), N)


prove(attempt)
