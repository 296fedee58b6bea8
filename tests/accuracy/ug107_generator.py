import threading


def lines():
    for n in range(1000):
        yield n


source = lines()


def work():
    for line in source:  #! UG107
        print(line)


for _ in range(4):
    threading.Thread(target=work).start()
