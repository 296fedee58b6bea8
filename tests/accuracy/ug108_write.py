import threading

lock = threading.Lock()
level = 0


def up():
    global level
    with lock:
        level += 1


def down():
    global level
    with lock:
        level -= 1


def double():
    global level
    level *= 2  #! UG108


threading.Thread(target=down).start()
threading.Thread(target=double).start()


for _ in range(4):
    threading.Thread(target=up).start()
