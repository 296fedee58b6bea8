import threading


def main(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()  # ok
