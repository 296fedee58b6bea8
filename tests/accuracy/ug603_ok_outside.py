# args: --select UG6
import threading

lock = threading.Lock()
answers = []


def solve(n):
    return sum(i for i in range(n) if n % (i + 1) == 0)


def worker(n):
    answer = solve(n)
    with lock:  # ok
        answers.append(answer)


for n in (1, 2):
    threading.Thread(target=worker, args=(n,)).start()
