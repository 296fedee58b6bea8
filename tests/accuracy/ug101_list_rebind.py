import threading

queue_times = []


def note(seconds=0.1):
    global queue_times
    queue_times = queue_times + [seconds]  #! UG101


for _ in range(4):
    threading.Thread(target=note).start()
