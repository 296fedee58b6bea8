import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._rows = {}  # guarded-by: _lock

    def put(self, key, row):
        with self._lock:
            self._rows[key] = row  # ok
