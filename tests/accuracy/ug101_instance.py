import threading


class Turnstile:
    def __init__(self):
        self.people = 0

    def push(self):
        self.people += 1  #! UG101


gate = Turnstile()


for _ in range(4):
    threading.Thread(target=gate.push).start()
