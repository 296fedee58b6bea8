import threading


class Poller:
    def __init__(self):
        threading.Thread(target=self.poll).start()
        self.limit = 10  #! UG105

    def poll(self):
        print(self.limit)
