import threading


class Poller:
    def __init__(self):
        self.limit = 10  # ok
        threading.Thread(target=self.poll).start()

    def poll(self):
        print(self.limit)
