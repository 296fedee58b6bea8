import threading


class Session:
    def __init__(self):
        self.local = threading.local()
        self.local.stack = []  #! UG403

    def push(self, x=1):
        self.local.stack.append(x)


session = Session()


for _ in range(4):
    threading.Thread(target=session.push).start()
