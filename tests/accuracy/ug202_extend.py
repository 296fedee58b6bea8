# args: --model strict
import threading

found = []


def work():
    found.extend([1, 2])  #! UG202


for _ in range(4):
    threading.Thread(target=work).start()
