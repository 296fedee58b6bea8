import threading

lines = []


def add():
    global lines
    lines += ["one"]  # ok


for _ in range(4):
    threading.Thread(target=add).start()
