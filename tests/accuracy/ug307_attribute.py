import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._rows = {}  # guarded-by: _lock

    def put(self, key, row):
        self._rows[key] = row  #! UG307

    def drop(self, key):
        with self._lock:
            self._rows.pop(key, None)
