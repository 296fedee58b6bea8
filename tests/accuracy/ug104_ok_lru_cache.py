import functools
import threading


@functools.cache
def square(n=3):
    return n * n  # ok


for _ in range(4):
    threading.Thread(target=square).start()
