import threading

table = {}
lock = threading.Lock()


def make(key):
    return key


def get(key="k"):
    with lock:
        found = key in table  #! UG104
    if not found:
        with lock:
            table[key] = make(key)
    return table[key]


for _ in range(4):
    threading.Thread(target=get).start()
