import threading
import warnings


def quiet(function=print):
    with warnings.catch_warnings():  # ok: free-threaded 3.14 keeps the filters in the context
        warnings.simplefilter("ignore")
        function()


for _ in range(4):
    threading.Thread(target=quiet).start()
