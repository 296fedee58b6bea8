import threading

squares = {}
squares_lock = threading.Lock()


def square(n=3):
    found = squares.get(n)  # ok
    if found is None:
        with squares_lock:
            found = squares.get(n)
            if found is None:
                found = squares[n] = n * n
    return found


for _ in range(4):
    threading.Thread(target=square).start()
