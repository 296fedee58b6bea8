import threading

watermark = 0


def raise_to(step=1):
    global watermark
    level = watermark  #! UG101
    level = level + step
    watermark = level


for _ in range(4):
    threading.Thread(target=raise_to).start()
