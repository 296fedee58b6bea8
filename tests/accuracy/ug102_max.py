import threading

peak = 0


def sample(value=3):
    global peak
    if value > peak:  #! UG102
        peak = value


for _ in range(4):
    threading.Thread(target=sample).start()
