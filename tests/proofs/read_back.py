"""Numbers of nodes that threads make at once: no two are the same."""
from hammer import prove, together


def attempt(m):
    numbers = []

    def use(_):
        numbers.extend([m.Node(None).uid for _ in range(5_000)])

    together(use)
    if len(set(numbers)) != len(numbers):
        return "%d nodes, %d numbers" % (len(numbers), len(set(numbers)))


prove(attempt)
