import threading

table = {}


def reload():
    global table
    table = {n: str(n) for n in range(10)}  # ok


def show():
    for k, v in table.items():  # ok
        print(k, v)


threading.Thread(target=reload).start()


for _ in range(4):
    threading.Thread(target=show).start()
