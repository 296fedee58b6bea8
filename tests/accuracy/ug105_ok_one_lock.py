import threading


class Position:
    def __init__(self):
        self.lock = threading.Lock()
        self.x = 0
        self.y = 0

    def move(self, x=1, y=1):
        with self.lock:
            self.x = x  # ok
            self.y = y

    def where(self):
        with self.lock:
            return self.x, self.y


position = Position()
threading.Thread(target=position.where).start()


for _ in range(4):
    threading.Thread(target=position.move).start()
