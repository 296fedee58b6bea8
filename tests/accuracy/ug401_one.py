import threading


def main(work):
    thread = threading.Thread(target=work)
    thread.join()  #! UG401
    thread.start()
