import threading

urls = iter(["a", "b", "c"])


def work():
    for url in urls:  #! UG107
        print(url)


for _ in range(4):
    threading.Thread(target=work).start()
