import threading

found = []


def work():
    found.append(1)  # ok


for _ in range(4):
    threading.Thread(target=work).start()
