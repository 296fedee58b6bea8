import threading

ready = threading.Condition()
items = []


def take():
    with ready:
        if not items:
            ready.wait()  #! UG306
        return items.pop()


def put():
    with ready:
        items.append(1)
        ready.notify()


threading.Thread(target=put).start()


for _ in range(4):
    threading.Thread(target=take).start()
