import threading

users = {}


def join(name="ada"):
    users[name] = 1


def show():
    for name in sorted(users):  # ok
        print(name)


threading.Thread(target=show).start()


for _ in range(4):
    threading.Thread(target=join).start()
