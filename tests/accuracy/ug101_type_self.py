import threading


class Node:
    created = 0

    def __init__(self):
        type(self).created += 1  #! UG101


for _ in range(4):
    threading.Thread(target=Node).start()
