import threading

_model = None


def load():
    return object()


def model():
    global _model
    if _model is not None:  #! UG103
        return _model
    _model = load()
    return _model


for _ in range(4):
    threading.Thread(target=model).start()
