import threading

listeners = set()


def add():
    listeners.add(object())


def fire():
    for listener in listeners:  #! UG106
        print(listener)


threading.Thread(target=fire).start()


for _ in range(4):
    threading.Thread(target=add).start()
