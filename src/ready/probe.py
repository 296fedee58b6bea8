# What `ungil doctor` asks an interpreter. It is given to python -c; the answer is one line of JSON behind a mark, since what
# is imported may print, too. Without arguments: what kind of interpreter is this, and is its GIL on? With the name of a module: what
# does importing it do to the GIL? The syntax is that of old Pythons as well.
import sys


def gil():
    return sys._is_gil_enabled() if hasattr(sys, "_is_gil_enabled") else True


state = gil()  # before anything is imported here
arguments = sys.argv[1:]
paths = sys.path[:]
sys.path[:] = [path for path in paths if path not in ("", ".")]  # no file of the directory stands in for the library's
import json
import sysconfig
import warnings


def foreign_extensions():
    """Extension modules that are loaded already and do not belong to the standard library."""
    names = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.endswith((".so", ".pyd")) and "-packages" in file:
            names.append(name)
    return names


def describe():
    return {
        "version": sys.version.split()[0],
        "minor": list(sys.version_info[:2]),
        "implementation": getattr(getattr(sys, "implementation", None), "name", "unknown"),
        "executable": sys.executable or "",
        "abiflags": getattr(sys, "abiflags", ""),
        "build": sysconfig.get_config_var("Py_GIL_DISABLED") == 1,
        "knows": hasattr(sys, "_is_gil_enabled"),
        "gil": state,
        "flag": getattr(sys.flags, "gil", None),
        "extensions": foreign_extensions(),
        "directories": sorted(set(sysconfig.get_path(name) or "" for name in ("purelib", "platlib"))),
    }


def try_import(name):
    error = ""
    sys.path[:] = paths
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            __import__(name)
        except BaseException as e:
            error = "%s: %s" % (type(e).__name__, e)
    texts = [str(w.message) for w in caught if "global interpreter lock" in str(w.message)]
    culprit = texts[0].split("'")[1] if texts and texts[0].count("'") >= 2 else ""
    return {"before": state, "after": gil(), "error": error[:500], "culprit": culprit}


answer = try_import(arguments[0]) if arguments else describe()
sys.stdout.flush()
sys.stdout.write("\nungil-probe " + json.dumps(answer) + "\n")
sys.stdout.flush()
