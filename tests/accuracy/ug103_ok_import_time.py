import threading


class Database:
    pass


_db = Database()


def db():
    return _db  # ok


for _ in range(4):
    threading.Thread(target=db).start()
