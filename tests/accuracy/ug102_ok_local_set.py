import threading


def unique(items=(1, 1, 2)):
    seen = set()
    for item in items:
        if item not in seen:  # ok
            seen.add(item)
    return seen


for _ in range(4):
    threading.Thread(target=unique).start()
