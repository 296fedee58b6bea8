import threading

a = threading.Lock()
b = threading.Lock()


def take_b():
    with b:
        pass


def one():
    with a:
        take_b()  #! UG303


def two():
    with b:
        with a:
            pass


threading.Thread(target=two).start()


for _ in range(4):
    threading.Thread(target=one).start()
