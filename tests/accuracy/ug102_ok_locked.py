import threading

claimed = set()
claimed_lock = threading.Lock()


def claim(ticket=7):
    with claimed_lock:
        if ticket in claimed:  # ok
            return False
        claimed.add(ticket)
        return True


for _ in range(4):
    threading.Thread(target=claim).start()
