import itertools
import threading

servers = itertools.cycle(["one", "two"])


def pick():
    return next(servers)  #! UG107


for _ in range(4):
    threading.Thread(target=pick).start()
