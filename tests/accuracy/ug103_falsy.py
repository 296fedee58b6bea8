import threading

_names = []


def names():
    global _names
    if not _names:  #! UG103
        _names = sorted(open("names.txt"))
    return _names


for _ in range(4):
    threading.Thread(target=names).start()
