"""What a script does before it starts its threads, in functions of its own, nobody else sees."""
import threading

jobs = []
total = 0


def load(names):
    global total
    for name in names:
        jobs.append(name)
        total += len(name)


def work(name):
    print(name, total)


load(["a", "bc"])
for job in jobs:
    threading.Thread(target=work, args=(job,)).start()
