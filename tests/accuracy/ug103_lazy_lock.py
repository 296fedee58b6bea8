import threading


class Box:
    def __init__(self):
        self._lock = None
        self.value = 0

    def lock(self):
        if self._lock is None:  #! UG103
            self._lock = threading.Lock()
        return self._lock


box = Box()


for _ in range(4):
    threading.Thread(target=box.lock).start()
