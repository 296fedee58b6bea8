import threading


def run(todo):
    while todo:  # ok
        print(todo.pop(0))


for n in range(3):
    threading.Thread(target=run, args=(list(range(n)),)).start()
