"""Within its own block each thread sees its own value on top of the stack."""
from hammer import prove, together


def attempt(m):
    wrong = []

    def body(n):
        for i in range(500):
            with m.using((n, i)):
                if m.current() != (n, i):
                    wrong.append(n)
                    return

    errors = together(body)
    if errors:
        return "%s: %s" % (type(errors[0]).__name__, errors[0])
    if wrong:
        return "a thread saw the value of another"


prove(attempt)
