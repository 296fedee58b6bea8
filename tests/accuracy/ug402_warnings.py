# args: --target 3.13
import threading
import warnings


def quiet(function=print):
    with warnings.catch_warnings():  #! UG402
        warnings.simplefilter("ignore")
        function()


for _ in range(4):
    threading.Thread(target=quiet).start()
