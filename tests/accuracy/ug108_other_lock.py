import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._size = 0

    def add(self, n):
        with self._lock:
            self._size += n

    def remove(self, n):
        with self._lock:
            self._size -= n

    def shrink(self, n):
        with self._flush_lock:
            self._size -= n  #! UG108
