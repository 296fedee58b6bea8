import threading


class Signal:
    def __init__(self):
        self.lock = threading.Lock()
        self.listeners = []

    def add(self, f):
        with self.lock:
            self.listeners.append(f)

    def send(self, x):
        with self.lock:
            now = list(self.listeners)
        for f in now:  # ok
            f(x)
