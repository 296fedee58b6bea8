import threading


def numbers():
    yield from range(10)


def work():
    for n in numbers():  # ok
        print(n)


for _ in range(4):
    threading.Thread(target=work).start()
