import threading

sizes = {}


def put(name="a"):
    sizes[name] = len(name)


def biggest():
    return max(sizes.values())  #! UG106


threading.Thread(target=biggest).start()


for _ in range(4):
    threading.Thread(target=put).start()
