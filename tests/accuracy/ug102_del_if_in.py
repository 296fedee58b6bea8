import threading

leases = {"a": 1}


def release(name="a"):
    if name in leases:  #! UG102
        del leases[name]


for _ in range(4):
    threading.Thread(target=release).start()
