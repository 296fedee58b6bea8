# args: --select UG6
import threading

total = 0
mutex = threading.Lock()


def tally(rows):
    global total
    mine = 0
    for row in rows:
        mine += row
    with mutex:  # ok
        total += mine


for part in ([1], [2]):
    threading.Thread(target=tally, args=(part,)).start()
