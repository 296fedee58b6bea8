import threading

pending = []


def add(item):
    pending.append(item)


def flush(write):
    global pending
    batch = pending
    pending = []  #! UG101
    for item in batch:
        write(item)


threading.Thread(target=flush, args=(print,)).start()
for n in range(4):
    threading.Thread(target=add, args=(n,)).start()
