import threading

a = threading.Lock()
b = threading.Lock()


def one():
    with a:
        with b:  #! UG303
            pass


def two():
    with b:
        with a:
            pass


threading.Thread(target=two).start()


for _ in range(4):
    threading.Thread(target=one).start()
