import threading

beats = 0


def heart():
    global beats
    for _ in range(10):
        beats += 1  # ok


thread = threading.Thread(target=heart)
thread.start()
thread.join()
print(beats)
