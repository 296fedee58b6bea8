# args: --select UG6
import hashlib
import threading

done = {}
mutex = threading.Lock()


def digest(paths):
    for path in paths:
        with open(path, "rb") as f:
            value = hashlib.sha256(f.read()).hexdigest()
        with mutex:  # ok
            done[path] = value


for part in (["a"], ["b"]):
    threading.Thread(target=digest, args=(part,)).start()
