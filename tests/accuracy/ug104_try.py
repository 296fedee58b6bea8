import threading

_types = {}


def guess(name):
    return name[-3:]


def kind(name="a.py"):
    try:
        return _types[name]  #! UG104
    except KeyError:
        _types[name] = result = guess(name)
        return result


for _ in range(4):
    threading.Thread(target=kind).start()
