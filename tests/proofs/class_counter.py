"""A counter on the class, changed by all instances."""
from hammer import prove, together


def attempt(m):
    def use(_):
        for _ in range(5_000):
            m.Session("x").close()

    together(use)
    if m.Session.open_sessions != 0:
        return "%d sessions open at the end" % m.Session.open_sessions


prove(attempt)
