import threading

_db = None
_db_lock = threading.Lock()


def db():
    global _db
    with _db_lock:
        if _db is None:  # ok
            _db = object()
        return _db


for _ in range(4):
    threading.Thread(target=db).start()
