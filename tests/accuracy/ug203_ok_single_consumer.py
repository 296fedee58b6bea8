import threading
from collections import deque

tasks = deque()


def put():
    tasks.append(1)


def run():
    while tasks:  # ok
        print(tasks.popleft())


threading.Thread(target=run).start()


for _ in range(4):
    threading.Thread(target=put).start()
