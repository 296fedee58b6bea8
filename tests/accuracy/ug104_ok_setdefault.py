import threading

squares = {}


def square(n=3):
    try:
        return squares[n]  # ok
    except KeyError:
        return squares.setdefault(n, n * n)


for _ in range(4):
    threading.Thread(target=square).start()
