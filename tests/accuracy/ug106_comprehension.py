import threading

jobs = {}


def add(n=1):
    jobs[n] = "new"


def drop(n=1):
    jobs.pop(n, None)


def open_jobs():
    return [k for k, v in jobs.items() if v == "new"]  #! UG106


threading.Thread(target=open_jobs).start()
threading.Thread(target=drop).start()


for _ in range(4):
    threading.Thread(target=add).start()
