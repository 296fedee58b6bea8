import threading

work = list(range(100))
lock = threading.Lock()


def run():
    while True:
        with lock:
            if not work:  # ok
                return
            item = work.pop(0)
        print(item)


for _ in range(4):
    threading.Thread(target=run).start()
