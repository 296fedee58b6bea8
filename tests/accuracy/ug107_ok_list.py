import threading

urls = ["a", "b", "c"]


def work():
    for url in urls:  # ok
        print(url)


for _ in range(4):
    threading.Thread(target=work).start()
