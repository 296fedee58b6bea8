"""get, make, store: all threads must get one and the same object."""
from hammer import prove, together


def attempt(m):
    got = {}

    def body(n):
        got[n] = [m.account("a%d" % i) for i in range(40)]

    together(body)
    for objects in zip(*got.values()):
        if len(set(map(id, objects))) > 1:
            return "%d objects for one name" % len(set(map(id, objects)))


prove(attempt)
