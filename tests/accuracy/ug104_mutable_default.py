import threading


def factorial(n=5, _known={0: 1}):
    if n not in _known:  #! UG104
        _known[n] = n * factorial(n - 1)
    return _known[n]


for _ in range(4):
    threading.Thread(target=factorial).start()
