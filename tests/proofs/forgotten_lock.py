"""A dictionary that grows under a lock while a reader walks it without: RuntimeError, or not."""
from hammer import prove, together


def attempt(m):
    presence = m.Presence()

    def use(i):
        for n in range(300):
            if i % 2:
                presence.arrive((i, n), print)
                presence.leave((i, n - 20))
            else:
                presence.names()

    errors = together(use)
    if errors:
        return "a thread died of %r" % errors[0]


prove(attempt)
