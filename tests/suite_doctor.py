#!/usr/bin/env python3
"""`ungil doctor`: a Python with the GIL, a free-threaded one where there is one, and programs that are none.

Interpreters that give an answer of our choice are scripts which print it: so every verdict is tested without the Pythons that would
lead to it.
"""
import json
import os
import sys
import time

import lib
from lib import FT_PYTHON, environment, temporary, ungil, write_file

ANSWER = {"version": "3.14.0", "minor": [3, 14], "implementation": "cpython", "executable": "/opt/python", "abiflags": "t", "build": True,
          "knows": True, "gil": False, "flag": None, "extensions": [], "directories": []}


def doctor(*args, env=None, cwd=None, **more):
    return ungil("doctor", *args, env=environment(**(env or {})), cwd=cwd, **more)


def script(folder, body, name="python"):
    path = os.path.join(folder, name)
    write_file(path, "#!/bin/sh\n" + body)
    os.chmod(path, 0o755)
    return path


def says(**answer):
    return "echo noise; echo 'ungil-probe %s'; echo more noise\n" % json.dumps({**ANSWER, **answer})


def verdict(result):
    return result.code, result.json()["verdict"] if result.raw else result.err


def test_with_gil(s):
    python = sys.executable
    import sysconfig
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        s.skip("this one is free-threaded")
        return
    result = doctor(python)
    s.equal(result.code, 1)
    s.check("%d.%d.%d (cpython)" % sys.version_info[:3] in result.out and "build        with the GIL" in result.out, str(result))
    s.equal(result.out.rstrip("\n").split("\n")[-1], python + ": not free-threaded: this build cannot run without the GIL")
    s.equal(doctor(python, "-q").out.count("\n"), 1, "-q")
    report = doctor(python, "--format", "json").json()
    s.equal((report["python"]["free_threaded"], report["gil"]["enabled"], report["installed"], report["ready"]), (False, True, None, False))
    with temporary() as folder:
        os.symlink(python, os.path.join(folder, "python3"))
        s.equal(doctor("--format", "json", env={"PATH": folder}).json()["python"]["command"], "python3", "python3 on PATH")
        write_file(os.path.join(folder, "json.py"), "raise SystemExit('this file was run')\n")
        s.equal(doctor(python, cwd=folder).code, 1, "no file of the directory is run")
        s.equal(doctor(python, "-o", "out", cwd=folder).out, "")
        s.check(os.path.getsize(os.path.join(folder, "out")) > 50, "-o")
        write_file(os.path.join(folder, "mine.py"), "print('loud'); print('ungil-probe {')\n")
        imports = doctor(python, "--import", "mine,os", "--import", "gone", "--format", "json", cwd=folder).json()["imports"]
        s.equal([(i["name"], i["gil"], i["error"].split(":")[0]) for i in imports], [("mine", True, ""), ("os", True, ""), ("gone", True, "ModuleNotFoundError")])


def test_free_threaded(s):
    if not FT_PYTHON:
        s.skip("there is none")
        return
    result = doctor(FT_PYTHON)
    s.equal(result.code, 0, str(result))
    s.check("free-threaded, abiflags 't'" in result.out and "\nGIL          off\n" in result.out and "PYTHON_GIL   not set" in result.out, str(result))
    s.equal(doctor(FT_PYTHON, env={"PYTHON_GIL": "0"}).code, 0)
    asked = doctor(FT_PYTHON, "--format", "json", env={"PYTHON_GIL": "1"})
    s.equal(verdict(asked), (1, "free-threaded, but the GIL is on: PYTHON_GIL or -X gil asks for it"))
    s.equal({k: asked.json()["gil"][k] for k in ("enabled", "enabled_by_default", "PYTHON_GIL", "flag")},
            {"enabled": True, "enabled_by_default": False, "PYTHON_GIL": "1", "flag": 1})
    broken = doctor(FT_PYTHON, "--format", "json", env={"PYTHON_GIL": "7"})
    s.check(broken.code == 1 and broken.json()["gil"]["enabled"] is None and 'must be "0" or "1"' in broken.json()["verdict"], str(broken))
    good = doctor(FT_PYTHON, "--import", "json,_bisect", "--format", "json")
    s.equal((good.code, [i["gil"] for i in good.json()["imports"]]), (0, [False, False]))
    bad = doctor(FT_PYTHON, "--import", "nothing.at.all")
    s.check(bad.code == 1 and "fails with ModuleNotFoundError" in bad.out, str(bad))


SOURCE = """
#include <Python.h>
static int run(PyObject *m) { return 0; }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, run},
#ifdef READY
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, .m_name = "NAME", .m_slots = slots};
PyMODINIT_FUNC PyInit_NAME(void) { return PyModuleDef_Init(&def); }
"""
TELL = "import sysconfig; print(sysconfig.get_path('include')); print(sysconfig.get_config_var('EXT_SUFFIX'))"


def test_real_modules(s):
    """What extension files declare by `ungil deps` is what importing them does by `ungil doctor`."""
    if not FT_PYTHON:
        s.skip("there is no free-threaded Python")
        return
    include, suffix = lib.execute([FT_PYTHON, "-c", TELL]).out.split()
    if not os.path.exists(os.path.join(include, "Python.h")):
        s.skip("the free-threaded Python has no headers")
        return
    with temporary() as folder:
        site = os.path.join(folder, "lib", "python3.13t", "site-packages")
        for name, flags in (("silent", []), ("ready", ["-DREADY"])):
            source, out = os.path.join(folder, name + ".c"), os.path.join(site, name + suffix)
            write_file(source, SOURCE.replace("NAME", name))
            os.makedirs(site, exist_ok=True)
            built = lib.execute(["cc", "-shared", "-fPIC", "-I" + include, *flags, "-o", out, source])
            s.check(built.code == 0, str(built))
            info = os.path.join(site, name + "-1.0.dist-info")
            write_file(os.path.join(info, "METADATA"), "Name: %s\nVersion: 1.0\n\n" % name)
            write_file(os.path.join(info, "RECORD"), name + suffix + ",,\n")
        packages = ungil("deps", "--isolated", "--no-cache", "--target", "3.13", "--format", "json", cwd=folder).json()["packages"]
        read = {p["name"]: p["gil"]["answer"] == "on" for p in packages}
        env = {"PYTHONPATH": site}
        result = doctor(FT_PYTHON, "--import", "ready,silent", "--format", "json", env=env)
        s.equal({i["name"]: i["gil"] for i in result.json()["imports"]}, read, "read and imported")
        s.equal((read, result.code, result.json()["imports"][1]["module"]), ({"ready": False, "silent": True}, 1, "silent"))
        write_file(os.path.join(site, "sitecustomize.py"), "import silent\n")
        result = doctor(FT_PYTHON, env=env)
        s.check(result.code == 1 and "sitecustomize" in result.out and "loaded are silent" in result.out, str(result))


def test_verdicts(s):
    with temporary() as folder:
        def with_answer(*args, **answer):
            return verdict(doctor(script(folder, says(**answer)), "--format", "json", *args))

        s.equal(with_answer(), (0, "free-threaded, and the GIL is off"))
        s.equal(with_answer(build=False, gil=True), (1, "not free-threaded: this build cannot run without the GIL"))
        s.equal(with_answer(gil=True, flag=1), (1, "free-threaded, but the GIL is on: PYTHON_GIL or -X gil asks for it"))
        s.equal(with_answer(gil=True), (1, "free-threaded, but the GIL is on: it is on although nothing was imported"))
        s.equal(with_answer("--import", "x"), (0, "free-threaded, and the GIL is off"))
        by_site = 'if [ "$1" = -S ]; then\n%selse\n%sfi\n' % (says(), says(gil=True, extensions=["bad._x"]))
        code, text = verdict(doctor(script(folder, by_site), "--format", "json"))
        s.check(code == 1 and "a .pth file" in text and "loaded are bad._x" in text, text)
        imports = 'if [ $# = 3 ]; then echo \'ungil-probe {"before": false, "after": true, "error": "", "culprit": "bad._x"}\'\nelse\n%sfi\n' % says()
        result = doctor(script(folder, imports), "--import", "bad")
        s.check(result.code == 1 and "bad: turns the GIL on to load bad._x" in result.out
                and result.out.endswith("free-threaded, and the GIL is off until bad is imported\n"), str(result))
        crash = "if [ $# = 3 ]; then kill -SEGV $$\nelse\n%sfi\n" % says()
        result = doctor(script(folder, crash), "--import", "bad")
        s.check(result.code == 1 and "bad: no answer, but signal 11" in result.out, str(result))
        unset = '[ -z "$PYTHON_GIL" ] || exit 3\n' + says(build=False, gil=True)
        result = doctor(script(folder, unset), "--format", "json", env={"PYTHON_GIL": "0"})
        s.check(result.code == 1 and result.json()["gil"]["enabled"] is None and result.json()["gil"]["enabled_by_default"], str(result))
        s.equal(doctor(script(folder, unset)).code, 1, "without the variable")


def test_installed(s):
    import suite_deps
    with temporary() as folder:
        packages = os.path.join(folder, "lib", "python3.14t", "site-packages")
        suite_deps.site(folder, "lib/python3.14t/site-packages", "bad", {"bad/_x.abi3.so": b"x"})
        suite_deps.site(folder, "lib/python3.14t/site-packages", "windows", {"w.pyd": b"x"})
        suite_deps.site(folder, "lib/python3.14t/site-packages", "plain", {"p.py": ""})
        python = script(folder, says(directories=[packages, "/nowhere/at/all"]))
        s.equal(doctor(python, "--format", "json").json()["installed"], {
            "packages": 3, "with_extensions": 2, "declared": 0, "unknown": 1, "not_declared": ["bad (bad/_x.abi3.so)"]})
        s.check("not ready: bad (bad/_x.abi3.so)" in doctor(python).out, "the text names it")


def test_no_python(s):
    with temporary() as folder:
        for name, body in (("garbage", "head -c 200000 /dev/urandom; exit 0\n"), ("silence", ""), ("failure", "echo it broke >&2; exit 9\n"),
                           ("half", "echo 'ungil-probe {\"version\"'\n"), ("array", "echo 'ungil-probe [1]'\n"),
                           ("nameless", "echo 'ungil-probe {\"build\": true, \"gil\": false}'\n"), ("signal", "kill -KILL $$\n")):
            result = doctor(script(folder, body, name))
            s.check(result.code == 2 and result.out == "" and name + " is no Python that can be asked" in result.err, str(result))
        s.check("it broke" in doctor(os.path.join(folder, "failure")).err, "what it said")
        odd = "echo 'ungil-probe {\"version\": \"3\", \"minor\": \"x\", \"flag\": \"1\", \"extensions\": {}, \"directories\": [1, null], \"gil\": 0}'\n"
        s.equal(doctor(script(folder, odd)).code, 1, "values of other types")
        start = time.monotonic()
        result = doctor(script(folder, "sleep 600 & sleep 600\n"), "--time-limit", "1")
        s.check(result.code == 2 and "--time-limit" in result.err and time.monotonic() - start < 20 * lib.SLOW, str(result))
        write_file(os.path.join(folder, "plain"), "echo hello\n")
        for what in (os.path.join(folder, "plain"), os.path.join(folder, "gone"), folder, "no-such-python-anywhere"):
            result = doctor(what)
            s.check(result.code == 2 and result.out == "" and what in result.err, str(result))
        write_file(os.path.join(folder, "no-header"), "echo hello\n")
        os.chmod(os.path.join(folder, "no-header"), 0o755)
        s.equal(doctor(os.path.join(folder, "no-header")).code, 2, "no shell runs what the kernel does not")


def test_usage(s):
    for args in (("a", "b"), ("--format", "sarif"), ("--time-limit", "x"), ("--root", "."), ("--import",)):
        result = doctor(*args)
        s.check(result.code == 2 and result.err, str(result))


if __name__ == "__main__":
    suite = lib.Suite("doctor")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
