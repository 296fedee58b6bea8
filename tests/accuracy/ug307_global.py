import threading

lock = threading.Lock()
total = 0  # guarded-by: lock


def add(n=1):
    global total
    total += n  #! UG307


for _ in range(4):
    threading.Thread(target=add).start()
