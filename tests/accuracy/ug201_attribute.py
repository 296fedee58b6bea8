import threading


class Spool:
    def __init__(self):
        self.papers = []

    def put(self, paper):
        self.papers.append(paper)

    def run(self):
        while True:
            if not self.papers:  #! UG201
                continue
            print(self.papers.pop(0))


spool = Spool()


for _ in range(4):
    threading.Thread(target=spool.run).start()
