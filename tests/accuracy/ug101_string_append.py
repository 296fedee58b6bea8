import threading

transcript = ""


def say():
    global transcript
    transcript += "hello\n"  #! UG101


for _ in range(4):
    threading.Thread(target=say).start()
