import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._rows = {}

    def put(self, key, row):
        with self._lock:
            self._rows[key] = row  # ok

    def rename(self, old, new):
        with self._lock:
            self._rows[new] = self._rows.pop(old)  # ok
