import threading

winners = ()


def win():
    global winners
    winners += (threading.current_thread().name,)  #! UG101


for _ in range(4):
    threading.Thread(target=win).start()
