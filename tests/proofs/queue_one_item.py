"""One item at a time and many takers: one gets it, the others go away empty-handed."""
from hammer import THREADS, prove, together

N = 30_000


def attempt(m):
    taken, over = [], []

    def use(i):
        try:
            for n in range(N):
                if over:
                    break
                if i == 0:
                    m.put(n)
                    while len(taken) < n and not over:
                        pass
                else:
                    m.take(taken.append)
        finally:
            over.append(i)

    errors = together(use, range(THREADS))
    if errors:
        return "a taker died of %r" % errors[0]
    if len(set(taken)) != len(taken):
        return "an item was taken twice"


prove(attempt)
