# args: --model strict
import threading


def work():
    found = []
    for n in range(3):
        found.append(n)  # ok
    return found


for _ in range(4):
    threading.Thread(target=work).start()
