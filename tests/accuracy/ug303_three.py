import threading

a, b, c = threading.Lock(), threading.Lock(), threading.Lock()


def one():
    with a, b:  #! UG303
        pass


def two():
    with b, c:
        pass


def three():
    with c, a:
        pass


threading.Thread(target=two).start()
threading.Thread(target=three).start()


for _ in range(4):
    threading.Thread(target=one).start()
