import threading
from collections import deque


def search():
    border = deque([1])
    while border:  # ok
        print(border.popleft())


for _ in range(4):
    threading.Thread(target=search).start()
