import threading


class Page:
    def __init__(self, text):
        self.text = text
        self._words = None

    def _split(self):
        self._words = self.text.split()

    def words(self):
        if self._words is None:  #! UG103
            self._split()
        return self._words


page = Page("a b c")


for _ in range(4):
    threading.Thread(target=page.words).start()
