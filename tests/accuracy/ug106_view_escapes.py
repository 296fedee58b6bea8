import threading

lock = threading.Lock()
users = {}


def join(name="ada"):
    with lock:
        users[name] = 1


def everyone():
    with lock:
        return users.items()  #! UG106


def show():
    for name, _ in everyone():
        print(name)


threading.Thread(target=show).start()


for _ in range(4):
    threading.Thread(target=join).start()
