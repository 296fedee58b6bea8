import threading


class Base:
    def __init__(self):
        self.lock = threading.Lock()
        self.total = 0

    def add(self, n):
        with self.lock:
            self.total += n


class Special(Base):
    def add_twice(self, n):
        self.total += 2 * n  #! UG108
