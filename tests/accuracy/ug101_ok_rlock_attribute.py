import threading


class Account:
    def __init__(self):
        self.lock = threading.RLock()
        self.balance = 0

    def deposit(self, amount=1):
        with self.lock:
            self.balance += amount  # ok


account = Account()


for _ in range(4):
    threading.Thread(target=account.deposit).start()
