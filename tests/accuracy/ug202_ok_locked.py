# args: --model strict
import threading

found = []
lock = threading.Lock()


def work():
    with lock:
        found.append(1)  # ok


for _ in range(4):
    threading.Thread(target=work).start()
