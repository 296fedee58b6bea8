import threading

depth = threading.local()


def enter():
    depth.value = getattr(depth, "value", 0) + 1  # ok


for _ in range(4):
    threading.Thread(target=enter).start()
