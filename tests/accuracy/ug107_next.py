import threading

ids = (n * n for n in range(1000))


def take():
    return next(ids)  #! UG107


for _ in range(4):
    threading.Thread(target=take).start()
