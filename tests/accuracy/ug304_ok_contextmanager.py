import contextlib
import threading

lock = threading.Lock()


@contextlib.contextmanager
def locked():
    with lock:
        yield  # ok
