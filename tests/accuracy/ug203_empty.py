import queue
import threading

tasks = queue.Queue()


def run():
    while not tasks.empty():  #! UG203
        print(tasks.get_nowait())


for _ in range(4):
    threading.Thread(target=run).start()
