import threading


def run():
    n = 0
    lock = threading.Lock()

    def bump():
        nonlocal n
        with lock:  # ok
            n += 1

    for _ in range(3):
        threading.Thread(target=bump).start()
