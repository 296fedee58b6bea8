import queue
import threading

tasks = queue.LifoQueue()


def run():
    if tasks.qsize() > 0:  #! UG203
        print(tasks.get())


for _ in range(4):
    threading.Thread(target=run).start()
