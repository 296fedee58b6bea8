import threading


class Position:
    def __init__(self):
        self.at = (0, 0)

    def move(self, x=1, y=1):
        self.at = (x, y)  # ok

    def where(self):
        return self.at


position = Position()
threading.Thread(target=position.where).start()


for _ in range(4):
    threading.Thread(target=position.move).start()
