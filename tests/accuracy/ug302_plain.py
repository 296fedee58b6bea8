import threading

lock = threading.Lock()
rows = []


def add(read=input):
    lock.acquire()  #! UG302
    rows.append(read())
    lock.release()


for _ in range(4):
    threading.Thread(target=add).start()
