import threading

_db = None


class Database:
    pass


def db():
    global _db
    if _db is None:  #! UG103
        _db = Database()
    return _db


for _ in range(4):
    threading.Thread(target=db).start()
