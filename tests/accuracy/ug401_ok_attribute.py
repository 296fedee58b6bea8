import threading


class Service:
    def __init__(self, work):
        self.thread = threading.Thread(target=work)

    def stop(self):
        self.thread.join()  # ok

    def start(self):
        self.thread.start()
