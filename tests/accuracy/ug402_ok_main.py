import os
import threading


def work():
    pass


if __name__ == "__main__":
    os.chdir("/")  # ok
    threading.Thread(target=work).start()
