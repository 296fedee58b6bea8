import threading

a = threading.Lock()
b = threading.Lock()


def one():
    with a:
        with b:  # ok
            pass


def two():
    with a, b:  # ok
        pass


threading.Thread(target=two).start()


for _ in range(4):
    threading.Thread(target=one).start()
