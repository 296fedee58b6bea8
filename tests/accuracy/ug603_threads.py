# args: --select UG6
import threading

big_lock = threading.Lock()
answers = []


def solve(n):
    return sum(i for i in range(n) if n % (i + 1) == 0)


def worker(numbers):
    big_lock.acquire()  #! UG603
    try:
        for n in numbers:
            answers.append(solve(n))
    finally:
        big_lock.release()


for part in ([1, 2], [3, 4]):
    threading.Thread(target=worker, args=(part,)).start()
