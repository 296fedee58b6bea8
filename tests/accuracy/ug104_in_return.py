import threading

_rates = {}


def ask(pair):
    return 1.0


def rate(pair="EURUSD"):
    if pair in _rates:  #! UG104
        return _rates[pair]
    value = ask(pair)
    _rates[pair] = value
    return value


for _ in range(4):
    threading.Thread(target=rate).start()
