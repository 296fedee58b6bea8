import threading

context = threading.local()
context.user = None  #! UG403


def current():
    return context.user


for _ in range(4):
    threading.Thread(target=current).start()
