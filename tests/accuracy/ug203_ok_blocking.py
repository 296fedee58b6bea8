import queue
import threading

tasks = queue.Queue()


def run():
    while True:
        item = tasks.get()  # ok
        if item is None:
            return
        print(item)


for _ in range(4):
    threading.Thread(target=run).start()
