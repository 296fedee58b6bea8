import threading

lock = threading.Lock()
rows = []


def each():
    with lock:
        for row in rows:
            yield row  #! UG304
