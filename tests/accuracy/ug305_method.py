import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._rows = {}

    def get(self, key):
        with self._lock:
            return self._rows.get(key)

    def get_all(self, keys):
        with self._lock:  #! UG305
            return [self.get(key) for key in keys]
