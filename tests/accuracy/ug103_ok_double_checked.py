import threading

_db = None
_db_lock = threading.Lock()


class Database:
    pass


def db():
    global _db
    if _db is None:  # ok
        with _db_lock:
            if _db is None:
                _db = Database()
    return _db


for _ in range(4):
    threading.Thread(target=db).start()
