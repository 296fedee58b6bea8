import threading


class Tally:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1  # ok


def work():
    tally = Tally()
    for _ in range(10):
        tally.add()
    return tally.n


for _ in range(4):
    threading.Thread(target=work).start()
