import threading

context = threading.local()


def current():
    return getattr(context, "user", None)  # ok


def enter(user="ada"):
    context.user = user  # ok


threading.Thread(target=enter).start()


for _ in range(4):
    threading.Thread(target=current).start()
