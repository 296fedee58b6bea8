import queue
import threading

tasks = queue.Queue()


def run():
    while True:
        try:
            print(tasks.get_nowait())  # ok
        except queue.Empty:
            return


for _ in range(4):
    threading.Thread(target=run).start()
