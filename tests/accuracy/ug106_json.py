import json
import threading

state = {}


def put(name="a"):
    state[name] = 1


def save():
    return json.dumps(state)  #! UG106


threading.Thread(target=save).start()


for _ in range(4):
    threading.Thread(target=put).start()
