# args: --model strict
import queue
import threading

found = queue.Queue()


def work():
    found.put(1)  # ok


for _ in range(4):
    threading.Thread(target=work).start()
