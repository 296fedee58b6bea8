import threading

work = list(range(100))


def run():
    while True:
        try:
            item = work.pop()  # ok
        except IndexError:
            return
        print(item)


for _ in range(4):
    threading.Thread(target=run).start()
