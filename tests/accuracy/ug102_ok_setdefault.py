import threading

owners = {}


def claim(ticket=7):
    me = object()
    return owners.setdefault(ticket, me) is me  # ok


for _ in range(4):
    threading.Thread(target=claim).start()
