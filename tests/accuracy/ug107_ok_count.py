import itertools
import threading

ids = itertools.count()


def take():
    return next(ids)  # ok


for _ in range(4):
    threading.Thread(target=take).start()
