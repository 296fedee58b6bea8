import threading

clicks = 0


def click():
    global clicks
    clicks += 1  #! UG101


for _ in range(4):
    threading.Thread(target=click).start()
