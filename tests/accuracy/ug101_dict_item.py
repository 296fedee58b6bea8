import threading

votes = {"yes": 0, "no": 0}


def vote():
    votes["yes"] += 1  #! UG101


for _ in range(4):
    threading.Thread(target=vote).start()
