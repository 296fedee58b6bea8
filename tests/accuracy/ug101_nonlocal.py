import threading


def run():
    finished = 0

    def work():
        nonlocal finished
        finished += 1  #! UG101

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return finished
