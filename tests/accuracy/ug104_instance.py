import threading


class Repo:
    def __init__(self):
        self._rows = {}

    def read(self, key):
        return key

    def row(self, key=1):
        if key not in self._rows:  #! UG104
            self._rows[key] = self.read(key)
        return self._rows[key]


repo = Repo()


for _ in range(4):
    threading.Thread(target=repo.row).start()
