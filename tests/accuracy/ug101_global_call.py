import threading

state = 17


def advance(x):
    return (x * 1103515245 + 12345) % 2**31


def draw():
    global state
    state = advance(state)  #! UG101


for _ in range(4):
    threading.Thread(target=draw).start()
