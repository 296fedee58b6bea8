import threading


class Guarded:
    def __init__(self):
        self.lock = threading.Lock()
        self.n = 0

    def add(self):
        with self.lock:
            self.n += 1


class Plain:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1  # ok


def work():
    plain = Plain()
    plain.add()


for _ in range(4):
    threading.Thread(target=work).start()
