"""counter += 1; return counter: no two threads may get the same number."""
from hammer import prove, together


def attempt(m):
    seen = []
    together(lambda _: seen.extend([m.new_id() for _ in range(500)]))
    if len(set(seen)) != len(seen):
        return "%d numbers went out twice" % (len(seen) - len(set(seen)))


prove(attempt)
