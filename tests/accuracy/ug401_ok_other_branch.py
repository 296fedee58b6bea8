import threading


def main(work, again):
    thread = threading.Thread(target=work)
    if not again:
        thread.start()
        thread.join()  # ok
    else:
        thread.start()
