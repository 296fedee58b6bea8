import threading


def work():
    total = 0
    for n in range(100):
        total += n  # ok
    return total


for _ in range(4):
    threading.Thread(target=work).start()
