# args: --model strict
import threading

found = []


def work():
    found.append(1)  #! UG202


for _ in range(4):
    threading.Thread(target=work).start()
