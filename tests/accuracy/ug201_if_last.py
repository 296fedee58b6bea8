import threading

stack = list(range(100))


def run():
    if stack:  #! UG201
        print(stack.pop())


for _ in range(4):
    threading.Thread(target=run).start()
