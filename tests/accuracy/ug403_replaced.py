import threading


class Filter:
    def __init__(self):
        self.data = threading.local()

    def begin(self, settings):
        self.data = {}  #! UG403
        self.data.update(settings)
