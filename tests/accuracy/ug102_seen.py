import threading

seen = set()


def once(message="m"):
    if message not in seen:  #! UG102
        seen.add(message)
        print(message)


for _ in range(4):
    threading.Thread(target=once).start()
