import atexit
import threading

_installed = False


def hooks():
    atexit.register(print, "bye")


def install():
    global _installed
    if not _installed:  #! UG103
        hooks()
        _installed = True


for _ in range(4):
    threading.Thread(target=install).start()
