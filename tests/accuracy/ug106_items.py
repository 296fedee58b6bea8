import threading

users = {}


def join(name="ada"):
    users[name] = 1


def show():
    for name, since in users.items():  #! UG106
        print(name, since)


threading.Thread(target=show).start()


for _ in range(4):
    threading.Thread(target=join).start()
