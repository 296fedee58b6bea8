import threading


class Mean:
    def __init__(self):
        self.lock = threading.Lock()
        self.sum = 0.0
        self.n = 0

    def add(self, value=1.0):
        with self.lock:
            self.sum += value  #! UG105
        with self.lock:
            self.n += 1

    def mean(self):
        with self.lock:
            return self.sum / self.n


mean = Mean()
threading.Thread(target=mean.mean).start()


for _ in range(4):
    threading.Thread(target=mean.add).start()
