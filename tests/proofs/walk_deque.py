"""for x in deque while others append: no reader may die of RuntimeError."""
from hammer import prove, together


def attempt(m):
    for i in range(50):
        m.note("base %d" % i)

    def body(n):
        for i in range(100):
            if n % 2:
                m.show()
            else:
                m.note("%d %d" % (n, i))

    errors = together(body)
    if errors:
        return "a reader died of %r" % errors[0]


prove(attempt)
