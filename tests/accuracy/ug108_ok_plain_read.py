import threading


class Meter:
    def __init__(self):
        self._lock = threading.Lock()
        self._value = 0

    def add(self, n):
        with self._lock:
            self._value += n

    @property
    def value(self):
        return self._value  # ok
