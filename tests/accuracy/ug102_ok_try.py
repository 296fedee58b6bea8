import threading

tokens = {"x": 1}


def read(name="x"):
    try:
        return tokens[name]  # ok
    except KeyError:
        return None


def expire(name="x"):
    tokens.pop(name, None)


threading.Thread(target=expire).start()


for _ in range(4):
    threading.Thread(target=read).start()
