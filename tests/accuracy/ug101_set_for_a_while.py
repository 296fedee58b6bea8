from contextlib import contextmanager

verbose = False


@contextmanager
def loudly():
    global verbose
    verbose = True  #! UG101
    yield
    verbose = False


def say(text):
    if verbose:
        print(text)
