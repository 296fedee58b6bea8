import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._size = 0

    def _grow(self, n):
        self._size += n  # ok

    def add(self, n):
        with self._lock:
            self._grow(n)

    def add_many(self, ns):
        with self._lock:
            for n in ns:
                self._grow(n)
