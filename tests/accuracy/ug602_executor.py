# args: --select UG6
from concurrent import futures


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def longest(limit):
    with futures.ProcessPoolExecutor(max_workers=4) as pool:
        return max(pool.map(collatz, range(1, limit)))  #! UG602
