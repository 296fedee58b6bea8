import threading
from contextlib import contextmanager

_lock = threading.RLock()
verbose = False


@contextmanager
def loudly():
    global verbose
    with _lock:
        verbose = True  # ok
        yield
        verbose = False


def say(text):
    if verbose:
        print(text)
