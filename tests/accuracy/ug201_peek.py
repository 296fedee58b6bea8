import threading

work = list(range(100))


def run():
    while work:  #! UG201
        first = work[0]
        del work[0]
        print(first)


for _ in range(4):
    threading.Thread(target=run).start()
