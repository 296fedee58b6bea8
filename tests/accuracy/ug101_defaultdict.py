import threading
from collections import defaultdict

errors = defaultdict(int)


def fail(code=500):
    errors[code] += 1  #! UG101


for _ in range(4):
    threading.Thread(target=fail).start()
