"""An attribute that another thread sets to None between the test and the use."""
from hammer import prove, together


class Connection:
    def send(self, record):
        pass


def attempt(m):
    link = m.Uplink(Connection)

    def use(i):
        for n in range(3_000):
            if i:
                link.send(n)
            elif n % 2:
                link.drop()
            else:
                link.reconnect()

    errors = together(use)
    if errors:
        return "a thread died of %r" % errors[0]


prove(attempt)
