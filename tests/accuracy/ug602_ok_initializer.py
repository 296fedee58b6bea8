# args: --select UG6
from concurrent.futures import ProcessPoolExecutor

model = None


def load(path):
    global model
    model = open(path).read()


def score(row):
    return model.count(row)


def score_all(rows, path):
    with ProcessPoolExecutor(initializer=load, initargs=(path,)) as pool:
        return list(pool.map(score, rows))  # ok
