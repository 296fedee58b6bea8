import threading


class Page:
    def __init__(self, text):
        self.text = text
        self._lock = threading.Lock()
        self._words = None

    def _split(self):
        with self._lock:
            if self._words is None:
                self._words = self.text.split()

    def words(self):
        if self._words is None:  # ok
            self._split()
        return self._words


page = Page("a b c")


for _ in range(4):
    threading.Thread(target=page.words).start()
