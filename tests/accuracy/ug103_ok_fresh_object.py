import threading


class Lexer:
    def __init__(self, text):
        self.text = text
        self._lines = None

    def lines(self):
        if self._lines is None:  # ok
            self._lines = self.text.splitlines()
        return self._lines


def work():
    return len(Lexer("a").lines())


for _ in range(4):
    threading.Thread(target=work).start()
