import queue
import threading

tasks = queue.Queue()


def run():
    while not tasks.empty():  # ok
        try:
            print(tasks.get_nowait())
        except queue.Empty:
            break


for _ in range(4):
    threading.Thread(target=run).start()
