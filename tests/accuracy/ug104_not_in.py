import threading

squares = {}


def square(n=3):
    if n not in squares:  #! UG104
        squares[n] = n * n
    return squares[n]


for _ in range(4):
    threading.Thread(target=square).start()
