import threading

lock = threading.Lock()
users = {}


def join(name="ada"):
    with lock:
        users[name] = 1


def show():
    with lock:
        for name in users:  # ok
            print(name)


threading.Thread(target=show).start()


for _ in range(4):
    threading.Thread(target=join).start()
