"""self.size += len(page) in a loop that threads run at once, and that ends by a return and by an exception, too."""
from hammer import THREADS, prove, together

N = 10_000


def attempt(m):
    reader = m.Reader()
    pages = ["ab"] * N

    def read(i):
        try:
            reader.read(pages + ([], ["stop", "after"], [None, "after"])[i % 3])
        except TypeError:
            pass

    together(read)
    wanted = sum(2 * N + (0, 4, 0)[i % 3] for i in range(THREADS))
    if reader.size != wanted:
        return "%d of %d characters" % (reader.size, wanted)


prove(attempt)
