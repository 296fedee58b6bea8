import contextlib
import io
import threading


def capture(function=print):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):  #! UG402
        function()
    return out.getvalue()


for _ in range(4):
    threading.Thread(target=capture).start()
