# args: --select UG6
from multiprocessing import Pool

seen = set()


def visit(page):
    seen.add(page)
    return len(seen)


def visit_all(pages):
    with Pool() as pool:
        return pool.map(visit, pages)  # ok
