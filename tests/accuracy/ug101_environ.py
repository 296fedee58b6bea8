import os
import threading


def extend_path(folder="/opt/tool/bin"):
    os.environ["PATH"] = os.environ["PATH"] + ":" + folder  #! UG101


for _ in range(4):
    threading.Thread(target=extend_path).start()
