import threading

n = 0


def bump():
    global n
    with threading.Lock():  #! UG301
        n += 1  #! UG101


for _ in range(4):
    threading.Thread(target=bump).start()
