import threading

groups = {}


def put(key="k", value=1):
    if key not in groups:  #! UG102
        groups[key] = []
    groups[key].append(value)


for _ in range(4):
    threading.Thread(target=put).start()
