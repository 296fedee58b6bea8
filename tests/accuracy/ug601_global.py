# args: --select UG6
import threading

total = 0
mutex = threading.Lock()


def tally(rows):
    global total
    for row in rows:
        with mutex:  #! UG601
            total += row


threads = [threading.Thread(target=tally, args=([i],)) for i in range(4)]
for t in threads:
    t.start()
