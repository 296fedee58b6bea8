import threading


def memo(function):
    table, lock = {}, threading.Lock()

    def inner(x):
        with lock:
            if x not in table:  # ok
                table[x] = function(x)
            return table[x]

    return inner
