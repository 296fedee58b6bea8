"""Each thread has a stack and a count of its own, also those that did not import the module."""
from hammer import prove, together


def attempt(m):
    seen = []

    def body(n):
        for i in range(50):
            m.enter((n, i))
        last = m.leave()
        seen.append((last, m.entered()))

    errors = together(body)
    if errors:
        return "%s: %s" % (type(errors[0]).__name__, errors[0])
    for (_, last), count in seen:
        if (last, count) != (49, 50):
            return "a thread saw the entries of another"


prove(attempt)
