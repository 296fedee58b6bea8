import threading


class Worker(threading.Thread):
    def __init__(self):
        super().__init__()
        self.handled = 0

    def run(self):
        for _ in range(10):
            self.handled += 1  # ok


for _ in range(3):
    Worker().start()
