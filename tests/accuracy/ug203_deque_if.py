import collections
import threading

tasks = collections.deque(range(100))


def run():
    if len(tasks):  #! UG203
        print(tasks.pop())


for _ in range(4):
    threading.Thread(target=run).start()
