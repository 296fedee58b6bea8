import threading

lock = threading.Lock()
rows = []


def each():
    with lock:
        now = list(rows)
    for row in now:
        yield row  # ok
