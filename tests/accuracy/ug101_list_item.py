import threading

buckets = [0] * 10


def measure(value=0.35):
    buckets[int(value * 10)] += 1  #! UG101


for _ in range(4):
    threading.Thread(target=measure).start()
