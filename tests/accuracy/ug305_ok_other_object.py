import threading


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.sum = 0

    def add(self, n):
        with self.lock:
            self.sum += n


class Bank:
    def __init__(self):
        self.lock = threading.Lock()
        self.cash = Account()

    def pay(self, n):
        with self.lock:
            self.cash.add(n)  # ok
