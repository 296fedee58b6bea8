# args: --select UG6
from concurrent.futures import ThreadPoolExecutor
from threading import RLock


class Histogram:
    def __init__(self):
        self.guard = RLock()
        self.bins = {}

    def feed(self, values):
        for v in values:
            self.guard.acquire()  #! UG601
            try:
                self.bins[v] = self.bins.get(v, 0) + 1
            finally:
                self.guard.release()

    def feed_all(self, series):
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.feed, series))
