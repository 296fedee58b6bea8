import threading

ready = {1, 2, 3}


def run():
    while ready:  #! UG203
        print(ready.pop())


for _ in range(4):
    threading.Thread(target=run).start()
