import threading


class Guard:
    def __init__(self):
        self.lock = threading.Lock()

    def __enter__(self):
        self.lock.acquire()  # ok
        return self

    def __exit__(self, *details):
        self.lock.release()
