import threading

lock = threading.Lock()
rows = {}


def find(key=1):
    lock.acquire()  #! UG302
    if key in rows:
        return rows[key]
    lock.release()
    return None


for _ in range(4):
    threading.Thread(target=find).start()
