import threading

claimed = set()


def claim(ticket=7):
    if ticket in claimed:  #! UG102
        return False
    claimed.add(ticket)
    return True


for _ in range(4):
    threading.Thread(target=claim).start()
