import threading


class Buffers:
    def __init__(self):
        self.front, self.back = [], []

    def flip(self):
        self.front, self.back = self.back, self.front  #! UG101


screen = Buffers()


for _ in range(4):
    threading.Thread(target=screen.flip).start()
