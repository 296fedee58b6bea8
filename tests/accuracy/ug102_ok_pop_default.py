import threading

leases = {"a": 1}


def release(name="a"):
    return leases.pop(name, None)  # ok


for _ in range(4):
    threading.Thread(target=release).start()
