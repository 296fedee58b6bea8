import threading
from collections import deque

history = deque(maxlen=50)


def note():
    history.append(1)


def total():
    return sum(history)  #! UG106


threading.Thread(target=total).start()


for _ in range(4):
    threading.Thread(target=note).start()
