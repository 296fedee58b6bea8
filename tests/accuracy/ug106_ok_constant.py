import threading

COMMANDS = {"a": 1, "b": 2}


def show():
    for name, value in COMMANDS.items():  # ok
        print(name, value)


for _ in range(4):
    threading.Thread(target=show).start()
