import threading

listeners = []


def add():
    listeners.append(print)


def fire():
    for listener in listeners[:]:  # ok
        listener()


threading.Thread(target=fire).start()


for _ in range(4):
    threading.Thread(target=add).start()
