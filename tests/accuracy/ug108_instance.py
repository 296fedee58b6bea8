import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._rows = {}

    def put(self, key, row):
        with self._lock:
            self._rows[key] = row

    def drop(self, key):
        with self._lock:
            self._rows.pop(key, None)

    def rename(self, old, new):
        self._rows[new] = self._rows.pop(old)  #! UG108
