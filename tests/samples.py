"""Small programs that several suites are about: two with one race each, and one without."""
COUNTER = '''import threading

hits = 0


def hit():
    global hits
    hits += 1


def run():
    for _ in range(4):
        threading.Thread(target=hit).start()
'''
CACHE = '''import threading

cache = {}


def load(key, compute):
    if key not in cache:
        cache[key] = compute(key)
    return cache[key]


def run(keys, compute):
    for key in keys:
        threading.Thread(target=load, args=(key, compute)).start()
'''
CLEAN = '''def add(a, b):
    return a + b
'''
PROJECT = {"app/__init__.py": "", "app/stats.py": COUNTER, "app/store.py": CACHE, "app/util.py": CLEAN}
