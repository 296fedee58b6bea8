import threading


class Signal:
    def __init__(self):
        self.lock = threading.Lock()
        self.listeners = []

    def add(self, f):
        with self.lock:
            self.listeners.append(f)

    def drop(self, f):
        with self.lock:
            self.listeners.remove(f)

    def send(self, x):
        for f in self.listeners:  #! UG108
            f(x)
