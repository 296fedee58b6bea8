import threading

ready = threading.Condition()
items = []


def take():
    with ready:
        ready.wait_for(lambda: items)  # ok
        return items.pop()


for _ in range(4):
    threading.Thread(target=take).start()
