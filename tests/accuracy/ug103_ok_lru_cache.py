import functools
import threading


@functools.lru_cache(maxsize=None)
def settings():
    return {"debug": False}  # ok


for _ in range(4):
    threading.Thread(target=settings).start()
