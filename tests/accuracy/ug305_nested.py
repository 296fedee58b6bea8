import threading

lock = threading.Lock()


def work():
    with lock:
        with lock:  #! UG305
            pass


for _ in range(4):
    threading.Thread(target=work).start()
