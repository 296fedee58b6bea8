import sys


def versions():
    return {n: getattr(m, "__version__", None) for n, m in sys.modules.items()}  #! UG106
