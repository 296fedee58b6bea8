import threading

done = 0


def work():
    pass


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
    done += 1  # ok
