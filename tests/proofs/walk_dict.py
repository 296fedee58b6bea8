"""for k in d.items(), sum(d.values()) while others add and remove: no reader may die of RuntimeError."""
from hammer import prove, together


def attempt(m):
    for i in range(20):
        m.enter("base%d" % i)

    def body(n):
        for i in range(100):
            if n % 2:
                m.report()
            else:
                m.enter("x%d-%d" % (n, i))
                m.leave("x%d-%d" % (n, i))

    errors = together(body)
    if errors:
        return "a reader died of %r" % errors[0]


prove(attempt)
