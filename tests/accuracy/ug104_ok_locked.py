import threading

squares = {}
squares_lock = threading.Lock()


def square(n=3):
    with squares_lock:
        if n not in squares:  # ok
            squares[n] = n * n
        return squares[n]


for _ in range(4):
    threading.Thread(target=square).start()
