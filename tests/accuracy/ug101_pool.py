class BufferPool:
    """Buffers for all threads of a server."""

    def __init__(self):
        self.lent = 0

    def lend(self):
        self.lent += 1  #! UG101
        return bytearray(4096)
