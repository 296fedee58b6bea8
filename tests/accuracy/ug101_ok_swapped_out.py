import threading

pending = []
lock = threading.Lock()


def add(item):
    with lock:
        pending.append(item)


def flush(write):
    global pending
    with lock:
        batch = pending
        pending = []  # ok
    for item in batch:
        write(item)


threading.Thread(target=flush, args=(print,)).start()
for n in range(4):
    threading.Thread(target=add, args=(n,)).start()
