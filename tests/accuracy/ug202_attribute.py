# args: --model strict
import threading


class Log:
    def __init__(self):
        self.lines = []

    def write(self, line="x"):
        self.lines.append(line)  #! UG202


log = Log()


for _ in range(4):
    threading.Thread(target=log.write).start()
