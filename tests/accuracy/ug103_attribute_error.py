import threading


class Page:
    def __init__(self, text):
        self.text = text

    def words(self):
        try:
            return self._words  #! UG103
        except AttributeError:
            self._words = self.text.split()
            return self._words


page = Page("a b c")


for _ in range(4):
    threading.Thread(target=page.words).start()
