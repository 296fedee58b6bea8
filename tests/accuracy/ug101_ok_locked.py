import threading

clicks = 0
lock = threading.Lock()


def click():
    global clicks
    with lock:
        clicks += 1  # ok


for _ in range(4):
    threading.Thread(target=click).start()
