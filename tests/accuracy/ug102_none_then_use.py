import threading


class Link:
    def __init__(self, connect):
        self.peer = connect()

    def send(self, data=b""):
        if self.peer is not None:  #! UG102
            self.peer.send(data)

    def close(self):
        self.peer = None


link = Link(object)
threading.Thread(target=link.close).start()


for _ in range(4):
    threading.Thread(target=link.send).start()
