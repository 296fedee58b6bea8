import threading

a = threading.Lock()
b = threading.Lock()


def one():
    with a:
        pass
    with b:  # ok
        pass


def two():
    with b:
        pass
    with a:  # ok
        pass


threading.Thread(target=two).start()


for _ in range(4):
    threading.Thread(target=one).start()
