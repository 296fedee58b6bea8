import threading


class Signal:
    def __init__(self):
        self.changed = threading.Condition()

    def watch(self):
        with self.changed:
            self.changed.wait()  #! UG306
            print("changed")
