import threading

active = 0


def open_slot():
    global active
    if active < 10:  #! UG102
        active += 1
        return True
    return False


for _ in range(4):
    threading.Thread(target=open_slot).start()
