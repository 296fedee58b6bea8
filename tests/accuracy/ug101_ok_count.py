import itertools
import threading

serial = itertools.count()


def take():
    return next(serial)  # ok


for _ in range(4):
    threading.Thread(target=take).start()
