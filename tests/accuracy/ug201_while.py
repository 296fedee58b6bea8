import threading

work = list(range(100))


def run():
    while work:  #! UG201
        print(work.pop(0))


for _ in range(4):
    threading.Thread(target=run).start()
