import threading

ready = threading.Condition()
items = []


def take():
    with ready:
        while not items:
            ready.wait()  # ok
        return items.pop()


def put():
    with ready:
        items.append(1)
        ready.notify()


threading.Thread(target=put).start()


for _ in range(4):
    threading.Thread(target=take).start()
