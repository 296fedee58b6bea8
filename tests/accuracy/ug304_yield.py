import threading

lock = threading.Lock()
rows = []


def each():
    with lock:  #! UG304
        for row in rows:
            yield row
