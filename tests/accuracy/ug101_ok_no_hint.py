class Parser:
    """One for each document."""

    def __init__(self):
        self.depth = 0

    def open(self):
        self.depth += 1  # ok
        return self.depth
