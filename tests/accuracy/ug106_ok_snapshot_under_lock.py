import threading

lock = threading.Lock()
users = {}


def join(name="ada"):
    with lock:
        users[name] = 1


def show():
    with lock:
        now = list(users.items())  # ok
    for name, _ in now:
        print(name)


threading.Thread(target=show).start()


for _ in range(4):
    threading.Thread(target=join).start()
