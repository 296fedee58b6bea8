import threading


class Peers:
    def __init__(self):
        self._lock = threading.Lock()
        self._peers = set()

    def add(self, peer):
        with self._lock:
            self._peers.add(peer)

    def remove(self, peer):
        with self._lock:
            self._peers.discard(peer)

    def ping(self):
        for peer in self._peers:  #! UG108
            peer.ping()
