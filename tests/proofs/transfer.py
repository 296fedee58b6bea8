"""The sum over all accounts stays the same."""
from hammer import prove, together


def attempt(m):
    before = sum(m.balances.values())

    def clerk(i):
        for _ in range(5_000):
            m.transfer("rent", "food", 1)
            m.transfer("food", "rent", 1)

    together(clerk)
    if sum(m.balances.values()) != before:
        return "%d instead of %d" % (sum(m.balances.values()), before)


prove(attempt)
