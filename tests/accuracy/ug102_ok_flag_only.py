import threading

stopping = False


def stop():
    global stopping
    if not stopping:  # ok
        stopping = True


for _ in range(4):
    threading.Thread(target=stop).start()
