import threading

lock = threading.Lock()
rows = []


def add(read=input):
    lock.acquire()  # ok
    try:
        rows.append(read())
    finally:
        lock.release()


for _ in range(4):
    threading.Thread(target=add).start()
