"""A cache in two variables: nobody gets what belongs to another key."""
from hammer import prove, together


def attempt(m):
    wrong = []

    def ask(n):
        for i in range(300):
            key = n + i % 2
            for get in m.get, m.tables.get:
                if get(key) != m.spell(key):
                    wrong.append(key)

    errors = together(ask)
    if errors or wrong:
        return "%d wrong answers, %d errors" % (len(wrong), len(errors))


prove(attempt)
