import threading

go = threading.Event()


def work():
    go.wait()  # ok
    print("going")


for _ in range(4):
    threading.Thread(target=work).start()
