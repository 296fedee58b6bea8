import threading


def work():
    pass


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.join()  #! UG401
for thread in threads:
    thread.start()
