import threading

_local = threading.local()


def session():
    if not hasattr(_local, "session"):  # ok
        _local.session = object()
    return _local.session


for _ in range(4):
    threading.Thread(target=session).start()
