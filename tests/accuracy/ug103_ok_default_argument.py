import threading


def connect(host=None):
    if host is None:  # ok
        host = "localhost"
    return host


for _ in range(4):
    threading.Thread(target=connect).start()
