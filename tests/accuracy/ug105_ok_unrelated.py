import threading

title = ""
colour = "red"


def set_title(new="x"):
    global title
    title = new  # ok


def set_colour(new="blue"):
    global colour
    colour = new  # ok


threading.Thread(target=set_colour).start()


for _ in range(4):
    threading.Thread(target=set_title).start()
