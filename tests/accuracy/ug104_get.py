import threading

_routes = {}


def find(path):
    return path.upper()


def route(path="/"):
    found = _routes.get(path)  #! UG104
    if found is None:
        found = find(path)
        _routes[path] = found
    return found


for _ in range(4):
    threading.Thread(target=route).start()
