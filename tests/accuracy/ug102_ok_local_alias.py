import threading


class Link:
    def __init__(self, connect):
        self.peer = connect()

    def send(self, data=b""):
        peer = self.peer  # ok
        if peer is not None:
            peer.send(data)

    def close(self):
        self.peer = None


link = Link(object)
threading.Thread(target=link.close).start()


for _ in range(4):
    threading.Thread(target=link.send).start()
