"""What the proofs share: loading the module under test, many threads at one point, attempts within a limit of time.

A proof is run as `python PROOF.py MODULE.py ATTEMPTS SECONDS`. It repeats its attempt until one shows a loss (status 1), until
the attempts are used up, or until the seconds are over (status 0). It prints how many attempts it made. Status 3: a thread hangs.
"""
import contextlib
import importlib.util
import io
import os
import sys
import threading
import time

THREADS = 4


def load(path):
    """A fresh copy of the module, so that every attempt starts from the beginning."""
    spec = importlib.util.spec_from_file_location("subject", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["subject"] = module
    with contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    return module


def together(function, arguments=None, threads=THREADS):
    """Calls function(argument) in one thread for each argument, all let go at the same moment. Returns the exceptions."""
    arguments = list(range(threads)) if arguments is None else list(arguments)
    barrier, errors = threading.Barrier(len(arguments)), []

    def body(argument):
        barrier.wait()
        try:
            function(argument)
        except Exception as e:
            errors.append(e)

    workers = [threading.Thread(target=body, args=(a,), daemon=True) for a in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
        if worker.is_alive():
            print("a thread hangs")
            sys.stdout.flush()
            os._exit(3)
    return errors


def prove(attempt):
    """attempt(module) returns None when all is consistent, or what was lost."""
    path, attempts, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    sys.setswitchinterval(1e-6)
    end, made = time.monotonic() + seconds, 0
    while made < attempts and time.monotonic() < end:
        made += 1
        lost = attempt(load(path))
        if lost:
            print("attempt %d: %s" % (made, lost))
            sys.exit(1)
    print("%d attempts, nothing lost" % made)
    sys.exit(0)
