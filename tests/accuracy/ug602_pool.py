# args: --select UG6
from multiprocessing import Pool


class Parser:
    def __init__(self, text):
        self.text = text
        self.words = []

    def run(self):
        for word in self.text.split():
            self.words.append(word)
        return self.words


def parse(text):
    return Parser(text).run()


def parse_all(texts):
    with Pool() as pool:
        return pool.map(parse, texts)  #! UG602
