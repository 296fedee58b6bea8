import threading
from collections import deque

tasks = deque(range(100))


def run():
    while tasks:  #! UG203
        print(tasks.popleft())


for _ in range(4):
    threading.Thread(target=run).start()
