# args: --select UG6
import threading

places = threading.Semaphore(4)
answers = []


def solve(n):
    return sum(i for i in range(n) if n % (i + 1) == 0)


def worker(n):
    with places:  # ok
        answers.append(solve(n))


for n in (1, 2):
    threading.Thread(target=worker, args=(n,)).start()
