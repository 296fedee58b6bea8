import threading

waiting = [1, 2, 3]


def cancel(n=2):
    if n in waiting:  #! UG102
        waiting.remove(n)


for _ in range(4):
    threading.Thread(target=cancel).start()
