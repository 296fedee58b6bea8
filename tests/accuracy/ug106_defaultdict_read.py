import threading
from collections import defaultdict

groups = defaultdict(list)


def look(name="ada"):
    return groups[name]


def show():
    for name in groups:  #! UG106
        print(name)


threading.Thread(target=show).start()
for _ in range(4):
    threading.Thread(target=look).start()
