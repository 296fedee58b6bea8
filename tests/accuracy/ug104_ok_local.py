import threading


def histogram(text="abc"):
    table = {}
    for c in text:
        if c not in table:  # ok
            table[c] = 0
        table[c] += 1
    return table


for _ in range(4):
    threading.Thread(target=histogram).start()
