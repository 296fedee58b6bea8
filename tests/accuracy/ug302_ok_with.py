import threading

lock = threading.Lock()
rows = []


def add(read=input):
    with lock:  # ok
        rows.append(read())


for _ in range(4):
    threading.Thread(target=add).start()
