import threading


def walk():
    todo = [1, 2, 3]
    while todo:  # ok
        print(todo.pop(0))


for _ in range(4):
    threading.Thread(target=walk).start()
