import threading


class Context(threading.local):
    user = None

    def __init__(self):
        self.stack = []  # ok


context = Context()


def current():
    return context.user, context.stack


for _ in range(4):
    threading.Thread(target=current).start()
