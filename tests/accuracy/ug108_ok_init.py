import threading


class Store:
    def __init__(self, rows):
        self._lock = threading.Lock()
        self._rows = {}
        for row in rows:
            self._rows[row.key] = row  # ok

    def put(self, key, row):
        with self._lock:
            self._rows[key] = row
