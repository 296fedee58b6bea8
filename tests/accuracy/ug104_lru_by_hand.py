import threading
from collections import OrderedDict

recent = OrderedDict()


def load(key):
    return key


def get(key="k"):
    if key in recent:  #! UG104
        recent.move_to_end(key)
        return recent[key]
    recent[key] = load(key)
    if len(recent) > 100:
        recent.popitem(last=False)
    return recent[key]


for _ in range(4):
    threading.Thread(target=get).start()
