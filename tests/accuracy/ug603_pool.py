# args: --select UG6
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor


class Fetcher:
    def __init__(self):
        self.lock = threading.RLock()
        self.pages = {}

    def fetch(self, address):
        with self.lock:  #! UG603
            self.pages[address] = urllib.request.urlopen(address).read()

    def fetch_all(self, addresses):
        with ThreadPoolExecutor(8) as pool:
            for address in addresses:
                pool.submit(self.fetch, address)
