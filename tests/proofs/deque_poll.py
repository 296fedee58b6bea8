"""while q: q.popleft(): no worker may die at the last item."""
from hammer import prove, together

N = 300


def attempt(m):
    m.tasks.extend(range(N))
    done = []
    errors = together(lambda _: m.drain(done.append))
    if errors:
        return "a worker died of %r" % errors[0]
    if sorted(done) != list(range(N)):
        return "%d tasks done of %d" % (len(done), N)


prove(attempt)
