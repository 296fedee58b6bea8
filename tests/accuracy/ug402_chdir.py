import os
import threading


def build(folder="/tmp"):
    here = os.getcwd()
    os.chdir(folder)  #! UG402
    try:
        os.listdir(".")
    finally:
        os.chdir(here)


for _ in range(4):
    threading.Thread(target=build).start()
