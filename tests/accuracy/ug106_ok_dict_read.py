import threading

groups = {"ada": []}


def look(name="ada"):
    return groups[name]


def show():
    for name in groups:  # ok
        print(name)


threading.Thread(target=show).start()
for _ in range(4):
    threading.Thread(target=look).start()
