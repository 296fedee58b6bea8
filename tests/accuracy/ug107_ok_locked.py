import itertools
import threading

servers = itertools.cycle(["one", "two"])
lock = threading.Lock()


def pick():
    with lock:
        return next(servers)  # ok


for _ in range(4):
    threading.Thread(target=pick).start()
