import threading


def worker(lock, rows):
    with lock:
        rows.append(1)


def run():
    lock = threading.Lock()  # ok
    rows = []
    for _ in range(3):
        threading.Thread(target=worker, args=(lock, rows)).start()
