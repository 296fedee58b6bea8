import threading


class Packet:
    sent = 0

    @classmethod
    def send(cls):
        cls.sent += 1  #! UG101


for _ in range(4):
    threading.Thread(target=Packet.send).start()
