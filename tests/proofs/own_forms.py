"""Everybody comes and goes, with few names: nobody may fail because another was first."""
from hammer import prove, together


def attempt(m):
    errors = together(lambda n: m.visit([i % 3 for i in range(20_000)]))
    return "%s: %s" % (type(errors[0]).__name__, errors[0]) if errors else None


prove(attempt)
