#!/usr/bin/env python3
"""`ungil deps`: what is read from each kind of file, what is said of each package, and what is a finding.

Package names that the table knows: numpy (ready from 2.1.0), orjson (turns the GIL on), requests (pure Python), lxml (turns the
GIL on before 7.0.0). Others are made up, so that only the files speak of them. Extension modules are compiled here from a
dozen lines of C that look like one to the scanner; no header of Python is needed.
"""
import json
import os
import subprocess
import sys

import lib
from lib import temporary, ungil, write_file, write_tree

WHEEL = "{ url = \"https://example.org/%s\", hash = \"sha256:00\", size = 1 }"


def deps(folder, *options, **more):
    return ungil("deps", "--isolated", "--no-cache", *options, cwd=folder, **more)


def report(folder, *options):
    result = deps(folder, "--format", "json", *options)
    if result.code not in (0, 1):
        raise AssertionError(str(result))
    return result.json()


def packages(folder, *options):
    return {p["name"]: p for p in report(folder, *options)["packages"]}


def facts(folder, *options):
    """{name: (version or range, line, installs, gil, safe)}"""
    return {n: (p["version"] or p["requires"], p["line"], p["installs"]["answer"], p["gil"]["answer"], p["safe"]["answer"])
            for n, p in packages(folder, *options).items()}


def findings(folder, *options):
    return [(f["rule"], f["path"], f["line"], f["state"], f["confidence"]) for f in report(folder, *options)["findings"]
            if not f["suppressed"]]


def notes(folder, *options):
    return [(n["code"], n["path"], n["line"]) for n in report(folder, *options)["notes"]]


def tree(s, name, files, want, call=facts, options=()):
    with temporary() as folder:
        write_tree(folder, files)
        s.equal(call(folder, *options), want, name)


# --- The files -----------------------------------------------------------------------------------------------------------

def test_requirements(s):
    text = ("# a comment\n"
            "numpy==1.26.4 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"
            "Requests[socks] >=2 ; python_version >= '3.8'  # why\n"
            "orjson ; python_version < '3.9'\n"
            "--index-url https://example.org/simple\n"
            "-e ./local\n./wheels/made_up-1.0-cp314-cp314t-linux_x86_64.whl\n"
            "other @ git+https://example.org/other.git\n"
            "-r more.txt\n--requirement=sub/again.txt\n-c limits.txt\n")
    tree(s, "requirements.txt", {
        "requirements.txt": text, "more.txt": "third~=1.0\n-r requirements.txt\n", "sub/again.txt": "fourth\n",
        "limits.txt": "fourth==1.5\nnobody==1\n", "notes.txt": "numpy==1.0\n"},
        {"numpy": ("1.26.4", 2, "unknown", "unknown", "unknown"),
         "requests": (">=2", 5, "pure", "off", "unknown"),
         "made-up": ("1.0", 9, "yes", "unknown", "unknown"),
         "other": ("", 10, "unknown", "unknown", "unknown"),
         "third": ("~=1.0", 1, "unknown", "unknown", "unknown"),
         "fourth": ("", 1, "unknown", "unknown", "unknown")})
    tree(s, "what cannot be followed is said", {
        "requirements.txt": "-r gone.txt\n-r https://example.org/r.txt\n-r ../up.txt\n!!\nfoo>>1\nok==1\n"},
        [("include", "requirements.txt", 1), ("include", "requirements.txt", 2), ("include", "requirements.txt", 3),
         ("requirement", "requirements.txt", 4), ("requirement", "requirements.txt", 5)], notes)
    tree(s, "what is required elsewhere, too, is no mere constraint", {
        "dev-requirements.txt": "-c requirements.txt\npytest\n", "requirements.txt": "-c all.txt\n-r all.txt\n",
        "all.txt": "numpy==1.20.0\n-c limits.txt\n", "limits.txt": "pytest==8.0\nnobody==1\n"},
        ["numpy", "pytest", "pytest"], lambda f: sorted(p["name"] for p in report(f)["packages"]))
    tree(s, "a comment reaches to the end of joined lines", {"requirements.txt": "numpy==1.0 # why \\\norjson\n"},
        ["numpy"], lambda f: sorted(packages(f)))
    tree(s, "names of such files", {
        "requirements/dev.txt": "a==1\n", "requirements-test.in": "b==1\n", "dev_requirements.txt": "c==1\n",
        "app.txt": "d==1\n"}, ["a", "b", "c"], lambda f: sorted(packages(f)))
    with temporary() as folder:
        write_tree(folder, {"app.txt": "numpy==1.0\n", "x.rst": "numpy==1\n"})
        s.equal(list(packages(folder, "app.txt")), ["numpy"], "a file of any name that is named itself")
        s.equal(notes(folder, "x.rst"), [("not-dependencies", "x.rst", 0)])
        write_tree(folder, {"bom/requirements.txt": b"\xef\xbb\xbfnumpy==1.0\r\norjson\r\n"})
        write_tree(folder, {"wide/requirements.txt": "numpy==1.0\n".encode("utf-16")})
        s.equal(notes(folder, "wide"), [("binary", "requirements.txt", 0)], "UTF-16")
        s.equal([(p["name"], p["line"]) for p in report(folder, "bom")["packages"]], [("numpy", 1), ("orjson", 2)], "mark and CRLF")


def test_include_outside(s):
    with temporary() as folder:
        write_tree(folder, {"in/requirements.txt": "-r ../out.txt\n", "out.txt": "numpy==1\n"})
        s.equal(notes(folder, "--root", "in", "in"), [("include", "requirements.txt", 1)], "outside of the root")
        s.equal(list(packages(folder, "--root", ".", "in")), ["numpy"], "inside")
        s.equal(deps(os.path.join(folder, "in"), "--root", ".", "../out.txt").code, 2, "a PATH outside of the root")
        s.equal(deps(folder, "gone").code, 2, "a PATH that is not there")


def uv(name, version, *wheels, extra=""):
    return '[[package]]\nname = "%s"\nversion = "%s"\nsource = { registry = "https://example.org/simple" }\n%swheels = [\n%s]\n' % (
        name, version, extra, "".join("    %s,\n" % (WHEEL % w) for w in wheels))


def test_uv(s):
    sdist = 'sdist = { url = "https://example.org/x-1.0.tar.gz", hash = "sha256:00" }\n'
    text = "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n" + "".join((
        '[[package]]\nname = "mine"\nversion = "0"\nsource = { editable = "." }\n',
        uv("ready", "1.0", "ready-1.0-cp314-cp314-win_amd64.whl", "ready-1.0-cp314-cp314t-win_amd64.whl"),
        uv("built", "1.0", "built-1.0-cp314-cp314-win_amd64.whl", extra=sdist),
        uv("stuck", "1.0", "stuck-1.0-cp39-abi3-win_amd64.whl", "stuck-1.0-cp313-cp313t-win_amd64.whl"),
        uv("plain", "1.0", "plain-1.0-py3-none-any.whl"),
        uv("mixed", "1.0", "mixed-1.0-cp314-cp314-win_amd64.whl", "mixed-1.0-py3-none-any.whl"),
        uv("tool", "1.0", "tool-1.0-py3-none-manylinux_2_17_x86_64.whl"),
        uv("percent", "1.0%2Bcpu", "percent-1.0%2Bcpu-cp314-cp314t-linux_x86_64.whl?x=1#y"),
        uv("old", "1", "old-1-cp310-cp310-win_amd64.whl", extra='resolution-markers = ["python_full_version < \'3.10\'"]\n'),
        '[[package]]\nname = "git"\nversion = "1"\nsource = { git = "https://example.org/git" }\n'))
    with temporary() as folder:
        write_file(os.path.join(folder, "uv.lock"), text)
        got = {n: f[2:4] for n, f in facts(folder).items()}
        s.equal(got, {"ready": ("yes", "unknown"), "built": ("source", "unknown"), "stuck": ("no", "unknown"),
                      "plain": ("pure", "off"), "mixed": ("pure", "off"), "tool": ("yes", "off"),
                      "percent": ("yes", "unknown"), "git": ("unknown", "unknown")}, "uv.lock")
        lines = text.split("\n")
        at = {n: next(i for i, l in enumerate(lines, 1) if l == 'name = "%s"' % n) for n in ("built", "stuck")}
        s.equal(findings(folder), [("UG501", "uv.lock", at["built"], "built", "medium"), ("UG501", "uv.lock", at["stuck"], "stuck", "high")])
        s.equal({n: f[2] for n, f in facts(folder, "--target", "3.13").items()}["stuck"], "yes", "--target 3.13")
        first = report(folder)["findings"][0]
        s.equal((first["column"], first["end_column"]), (9, 14), "the name is underlined")
        write_file(os.path.join(folder, "uv.lock"), text.replace('">=3.11"', '">=3.11,<3.14"'))
        s.equal((findings(folder), notes(folder)), ([], [("lock", "uv.lock", 3)]), "a lock for other Pythons says nothing")


def test_stable_abi(s):
    tree(s, "abi3t", {"uv.lock": "version = 1\n" + uv("stable", "1", "stable-1-cp315-abi3.abi3t-win_amd64.whl")},
         ["yes"], lambda f, *o: [v[2] for v in facts(f, *o).values()], ("--target", "3.15"))
    tree(s, "abi3t is not for 3.14", {"uv.lock": "version = 1\n" + uv("stable", "1", "stable-1-cp315-abi3.abi3t-win_amd64.whl")},
         ["no"], lambda f, *o: [v[2] for v in facts(f, *o).values()])


def test_other_locks(s):
    one = '[[package]]\nname = "%s"\nversion = "1.0"\n'
    tree(s, "poetry.lock", {"poetry.lock": one % "new" + 'files = [\n    {file = "new-1.0-cp314-cp314t-win_amd64.whl", hash = "sha256:00"},\n]\n'},
         {"new": ("1.0", 2, "yes", "unknown", "unknown")})
    tree(s, "an old poetry.lock", {"poetry.lock": one % "Old.Name" + one % "lost" + '[metadata]\nlock-version = "1.1"\n[metadata.files]\n'
                                   'old-name = [\n    {file = "old_name-1.0-cp314-cp314-win_amd64.whl", hash = "sha256:00"},\n]\nlost = []\n'},
         {"old-name": ("1.0", 2, "no", "unknown", "unknown"), "lost": ("1.0", 5, "unknown", "unknown", "unknown")})
    tree(s, "pdm.lock", {"pdm.lock": one % "a" + 'files = [{url = "https://example.org/a-1.0-py3-none-any.whl", hash = "sha256:00"}]\n'
                         + one % "b" + 'marker = "python_version < \\"3.9\\""\nfiles = []\n'},
         {"a": ("1.0", 2, "pure", "off", "unknown")})
    tree(s, "pylock.toml", {"pylock.dev.toml": 'lock-version = "1.0"\n[[packages]]\nname = "x"\nversion = "1.0"\n'
                            '[[packages.wheels]]\nname = "x-1.0-cp314-cp314t-win_amd64.whl"\n[[packages.wheels]]\nurl = "https://e/x-1.0-py3-none-any.whl"\n'
                            '[[packages]]\nname = "numpy"\nversion = "2.0.0"\n[packages.vcs]\ntype = "git"\n'},
         {"x": ("1.0", 3, "yes", "unknown", "unknown"), "numpy": ("2.0.0", 10, "unknown", "unknown", "unknown")})
    tree(s, "Pipfile.lock", {"Pipfile.lock": json.dumps({"_meta": {"numpy": 1}, "default": {"numpy": {"version": "==1.26.4", "hashes": []},
                                                                           "old": {"version": "==1", "markers": "python_version < '3'"}},
                                                         "develop": {"requests": {"version": "==2.0"}, "vcs": {"git": "x"}}}, indent=1)},
         {"numpy": ("1.26.4", 6, "unknown", "unknown", "unknown"), "requests": ("2.0", 16, "pure", "off", "unknown"),
          "vcs": ("", 19, "unknown", "unknown", "unknown")})


def test_pyproject(s):
    text = """[build-system]
requires = ["cython>=3"]
[project]
name = "My.App"
dependencies = [
    "numpy>=1.20",  # arrays
    "requests",
]
dynamic = ["version"]
[project.optional-dependencies]
fast = ["orjson"]
all = ["my-app[fast]"]
[dependency-groups]
test = ["groupdep==1", {include-group = "docs"}]
[tool.poetry.dependencies]
python = "^3.11"
poet = "^1.2"
both = [{version = "^1", python = "<3.12"}, {version = "^2", python = ">=3.12"}]
here = {path = "../here"}
odd = "^1 || ^2"
[tool.poetry.group.dev.dependencies]
grouped = {version = "~1.4", extras = ["x"]}
[tool.uv]
dev-dependencies = ["uvdev"]
[tool.pdm.dev-dependencies]
x = ["pdmdev"]
"""
    with temporary() as folder:
        write_file(os.path.join(folder, "pyproject.toml"), text)
        got = {n: f[:2] for n, f in facts(folder).items()}
        s.equal(got, {"cython": (">=3", 2), "numpy": (">=1.20", 6), "requests": ("", 7), "orjson": ("", 11), "groupdep": ("1", 14),
                      "poet": (">=1.2,<2", 17), "both": (">=2,<3", 18), "here": ("", 19), "grouped": (">=1.4,<1.5", 22),
                      "uvdev": ("", 24), "pdmdev": ("", 26)})
        s.equal(notes(folder), [("requirement", "pyproject.toml", 20)])
        s.equal(findings(folder), [("UG502", "pyproject.toml", 2, "cython", "medium"), ("UG502", "pyproject.toml", 6, "numpy", "medium"),
                                   ("UG501", "pyproject.toml", 11, "orjson", "medium")])
        write_file(os.path.join(folder, "pyproject.toml"), '[project]\nname = "x"\ndynamic = ["dependencies"]\n')
        s.equal(notes(folder), [("dynamic", "pyproject.toml", 3)])
        write_file(os.path.join(folder, "pyproject.toml"), "[project\n")
        s.equal(notes(folder), [("project", "pyproject.toml", 1)], "broken TOML")


def test_setup(s):
    tree(s, "setup.cfg", {"setup.cfg": "[metadata]\ninstall_requires = no\n[options]\ninstall_requires =\n    numpy<2  \n    # orjson\n"
                          "    requests; python_version > '3'\npython_requires = >=3\n[options.extras_require]\nfast = orjson\n"},
         {"numpy": ("<2", 5, "unknown", "unknown", "unknown"), "requests": ("", 7, "pure", "off", "unknown"),
          "orjson": ("", 10, "no", "on", "unknown")})
    setup = "from setuptools import setup\nsetup(install_requires=[  # these\n    'numpy<2',\n    \"requests\"],\n  %s)\n"
    tree(s, "setup.py", {"setup.py": setup % ""}, {"numpy": ("<2", 3, "unknown", "unknown", "unknown"),
                                                   "requests": ("", 4, "pure", "off", "unknown")})
    tree(s, "what setup.py computes is not read", {"setup.py": setup % "tests_require=read(), extras_require={'a': ['b']}, setup_requires=['x' + y]"},
         [("dynamic", "setup.py", 5)] * 3, notes)


# --- Findings ---------------------------------------------------------------------------------------------------------------

def test_findings(s):
    def rule(line, *options):
        with temporary() as folder:
            write_file(os.path.join(folder, "requirements.txt"), line + "\n")
            return [f[0] + " " + f[4] for f in findings(folder, *options)]

    for line, want in (("numpy==1.26.4", ["UG502 high"]), ("numpy==2.1.0", []), ("numpy===2.10", []), ("numpy>=2.1", []), ("numpy>=1.9", ["UG502 medium"]),
                       ("numpy<2", ["UG502 high"]), ("numpy==2.1.0rc1", ["UG502 high"]), ("numpy", []), ("NumPy ~= 1.26", ["UG502 high"]), ("orjson", ["UG501 medium"]),
                       ("orjson==99", ["UG501 medium"]), ("lxml==6.1.1", ["UG501 high"]), ("lxml==7.0.0", []), ("lxml==7.0.0a1", ["UG502 high"]), ("requests==2.0", []),
                       ("unheard-of==1", []), ("numpy @ https://example.org/numpy.tar.gz", []), ("numpy==1.26.4; python_version < '3.13'", [])):
        s.equal(rule(line), want, line)
    s.equal(rule("numpy", "--min-confidence", "low"), ["UG502 low"], "no bound at all")
    s.equal(rule("numpy==1.26.4", "--ignore", "UG502"), [])
    s.equal(rule("orjson", "--select", "version-too-old"), [])
    s.equal(rule("orjson", "--min-confidence", "high"), [])


def test_covered(s):
    files = {"pyproject.toml": '[project]\ndependencies = ["numpy>=1.20", "orjson"]\n', "sub/pyproject.toml": '[project]\ndependencies = ["numpy>=1.20"]\n'}
    lock = {"uv.lock": "version = 1\n" + uv("numpy", "2.2.0") + uv("orjson", "3.11.4")}
    tree(s, "without a lock", files, ["pyproject.toml", "pyproject.toml", "sub/pyproject.toml"], lambda f: [x[1] for x in findings(f)])
    tree(s, "what is locked is judged in the lock", {**files, **lock}, [("UG501", "uv.lock")], lambda f: [x[:2] for x in findings(f)])


def test_wheels_beside_table(s):
    for wheel, want in (("numpy-1.26-py3-none-any.whl", "low"), ("numpy-1.26-cp314-cp314t-win_amd64.whl", "medium")):
        tree(s, wheel, {"uv.lock": "version = 1\n" + uv("numpy", "1.26", wheel)}, [("UG502", want)],
             lambda f: [(x[0], x[4]) for x in findings(f, "--min-confidence", "low")])


def test_wrong_types(s):
    """What a key of the wrong type was to say is not known: a note with file and line, not a report without packages."""
    for text, line, word in (('[project]\nname = "x"\ndependencies = "numpy==1.26"\n', 3, "project.dependencies"),
                             ('[project]\ndependencies = ["orjson",\n  1]\n', 3, "project.dependencies"),
                             ('[project]\noptional-dependencies = ["numpy"]\n', 2, "project.optional-dependencies"),
                             ('[project.optional-dependencies]\nfast = "numpy"\n', 2, "project.optional-dependencies.fast"),
                             ('[dependency-groups]\ndev = {numpy = "1"}\n', 2, "dependency-groups.dev"),
                             ('[build-system]\nrequires = "cython"\n', 2, "build-system.requires"),
                             ('[tool.poetry]\ndependencies = ["numpy"]\n', 2, "dependencies"),
                             ('[tool.poetry.dependencies]\nnumpy = 1\n', 2, "numpy")):
        with temporary() as folder:
            write_file(os.path.join(folder, "pyproject.toml"), text)
            notes = report(folder)["notes"]
            s.equal([(n["path"], n["line"]) for n in notes], [("pyproject.toml", line)], text)
            s.check(all(word in n["message"] for n in notes), notes)
    with temporary() as folder:
        write_file(os.path.join(folder, "pyproject.toml"), '[dependency-groups]\ntest = ["numpy"]\ndev = [{include-group = "test"}]\n')
        s.equal(report(folder)["notes"], [])


def test_suppress(s):
    tree(s, "comments", {"requirements.txt": "numpy==1.0  # ungil: ignore[UG502] kept for a reason\n# ungil: ignore[UG5] both\norjson\n"
                         "lxml==6.0  # NOQA:ug501\nnumpy==1.1  # ungil: ignore[UG501] another rule\n# noqa: UG502\nnumpy==1.0\n",
                         "pyproject.toml": '[project]\ndependencies = [\n  "orjson",  # ungil: ignore[extension-not-ready] x\n]\n'},
         [("UG502", 5), ("UG502", 7)], lambda f: [(x[0], x[2]) for x in findings(f)])
    with temporary() as folder:
        write_file(os.path.join(folder, "requirements.txt"), "orjson  # ungil: ignore[UG501] x\n")
        s.equal(deps(folder).code, 0, "exit status with suppressed findings")
        s.equal([f["suppressed"] for f in report(folder)["findings"]], [True])


def test_facts_say_where(s):
    with temporary() as folder:
        write_tree(folder, {"requirements.txt": "numpy==2.2.0\n", "uv.lock": "version = 1\n" + uv("plain", "1.0", "plain-1.0-py3-none-any.whl")})
        p = packages(folder)
        s.equal([p["numpy"][k]["answer"] for k in ("installs", "gil", "safe")], ["yes", "off", "stated"])
        for k in ("installs", "gil", "safe"):
            s.check("as of 20" in p["numpy"][k]["evidence"] and "2.1.0" in p["numpy"][k]["reason"], "numpy: %s: %s" % (k, p["numpy"][k]))
        s.equal(p["plain"]["installs"]["evidence"], "uv.lock:3")
        s.equal((p["plain"]["safe"]["answer"], p["plain"]["kind"], p["numpy"]["kind"]), ("unknown", "locked", "declared"))


def test_imports(s):
    with temporary() as folder:
        write_tree(folder, {"requirements.txt": "orjson\ngrpcio\n", "app/__init__.py": "", "app/a.py": "import os\nimport orjson as fast\n",
                            "app/b.py": "def f():\n    from grpc.aio import server\n    from . import orjson\n    import orjsonic\n"})
        lines = {n: [(i["path"], i["line"], i["module"]) for i in p["imports"]] for n, p in packages(folder).items()}
        s.equal(lines, {"orjson": [("app/a.py", 2, "orjson")], "grpcio": [("app/b.py", 2, "grpc.aio.server")]})
        s.check("orjson is imported at app/a.py:2\n" in deps(folder).out, "the text names the import")
        s.equal(packages(folder, "requirements.txt")["orjson"]["imports"], [], "only directories are searched")


# --- Installed -----------------------------------------------------------------------------------------------------------------

MODULE = """
struct slot { int slot; void *value; };
struct def { void *base[5]; const char *name, *doc; long size; void *methods; struct slot *slots; void *t, *c, *f; };
extern void *PyModuleDef_Init(struct def *), *PyModule_Create2(struct def *, int), PyUnstable_Module_SetGIL(void *, void *);
static int run(void *m) { return m == 0; }
static struct slot slots[] = {{2, run},
#ifdef GIL
    {4, (void *)(long)GIL},
#endif
    {3, (void *)2}, {0, 0}};
#ifdef ONE
#define slots 0
#endif
struct def def = {{0}, "m", 0, 0, 0, slots, 0, 0, 0};
#ifdef LIBRARY
int answer(void) { return 42; }
#elif defined ONE
void *PyInit_m(void) {
    void *m = PyModule_Create2(&def, 1013);
    if (ONE) PyUnstable_Module_SetGIL(m, (void *)1);
    return m;
}
#else
void *PyInit_m(void) { return PyModuleDef_Init(&def); }
#endif
"""


def compiled(folder, *flags):
    source, out = os.path.join(folder, "m.c"), os.path.join(folder, "m.so")
    write_file(source, MODULE)
    done = subprocess.run(["cc", "-O2", "-s", "-shared", "-fPIC", *flags, "-o", out, source], stderr=subprocess.PIPE)
    return lib.read_file(out) if done.returncode == 0 else None


def site(folder, where, name, files, tag="cp314-cp314t-linux_x86_64", headers=""):
    info = "%s/%s-1.0.dist-info/" % (where, name)
    write_tree(folder, {info + "METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n%s\nClassifier: in the text\n" % (name, headers),
                        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: %s\n" % tag,
                        info + "RECORD": "".join("%s,sha256=x,1\n" % f for f in files) + info + "RECORD,,\n",
                        **{where + "/" + f: data for f, data in files.items() if not f.startswith((".", "/"))}})


SITE14 = "lib/python3.14t/site-packages"


def test_extension_files(s):
    with temporary() as folder:
        modules = {"silent": [], "used": ["-DGIL=0"], "ready": ["-DGIL=1"], "single": ["-DONE=0"], "marked": ["-DONE=1"], "library": ["-DLIBRARY"]}
        modules["packed"] = ["-DGIL=1", "-Wl,-z,pack-relative-relocs"]
        built = {n: compiled(folder, *flags) for n, flags in modules.items()}
        if not built["silent"] or not built["silent"].startswith(b"\x7fELF\x02\x01"):
            s.skip("cc makes no 64-bit ELF files here")
            return
        if not built["packed"]:
            del built["packed"]
        venv = os.path.join(folder, "venv")
        write_file(os.path.join(venv, "pyvenv.cfg"), "")
        for name, data in built.items():
            site(venv, SITE14, name, {"%s_m.cpython-314t-x86_64-linux-gnu.so" % name: data})
        got = {n: p["gil"]["answer"] for n, p in packages(venv).items()}
        want = {"silent": "on", "used": "on", "ready": "off", "single": "unknown", "marked": "off", "library": "unknown", "packed": "off"}
        s.equal(got, {n: want[n] for n in built}, "what files declare")
        s.equal([f[:4] for f in findings(venv)], [("UG501", "%s/%s-1.0.dist-info/RECORD" % (SITE14, n), 1, n) for n in ("silent", "used")])
        elsewhere = os.path.join(folder, "gil")
        site(elsewhere, "site-packages", "silent", {"m.cpython-313-x86_64-linux-gnu.so": built["silent"]}, "cp313-cp313-linux_x86_64")
        s.equal((facts(elsewhere)["silent"][3], findings(elsewhere)), ("unknown", []), "a build for the GIL accuses nobody")
        for cut in (0, 4, 63, 64, 200, len(built["ready"]) // 2, len(built["ready"]) - 100):
            data = built["ready"][:cut]
            site(elsewhere, "site-packages", "cut", {"m.cpython-314t-x86_64-linux-gnu.so": data}, "cp314-cp314t-linux_x86_64")
            result = deps(elsewhere)
            s.check(result.code == 0, lambda: "a file cut after %d bytes\n%s" % (cut, result))
        for at in range(0, 64):
            data = bytearray(built["silent"])
            data[at] ^= 0xff
            site(elsewhere, "site-packages", "cut", {"m.cpython-314t-x86_64-linux-gnu.so": bytes(data)}, "cp314-cp314t-linux_x86_64")
            result = deps(elsewhere)
            s.check(not result.crashed, lambda: "byte %d of the header changed\n%s" % (at, result))


def test_stdlib_extensions(s):
    if not lib.FT_PYTHON:
        s.skip("no free-threaded Python")
        return
    where = subprocess.run([lib.FT_PYTHON, "-c", "import _bisect; print(_bisect.__file__)"], stdout=subprocess.PIPE, text=True).stdout.strip()
    with temporary() as folder:
        names = sorted(n for n in os.listdir(os.path.dirname(where)) if ".cpython-" in n and "test" not in n and not n.startswith("xx"))
        site(folder, "lib/python3.13t/site-packages", "stdlib", {n: lib.read_file(os.path.join(os.path.dirname(where), n)) for n in names})
        p = packages(folder, "--target", "3.13")["stdlib"]
        s.equal((p["gil"]["answer"], p["gil"]["reason"]), ("off", "%d extension modules declare it" % len(names)))


def test_misplaced(s):
    with temporary() as folder:
        site(folder, SITE14, "stable", {"stable/_x.abi3.so": b"x"}, "cp39-abi3-linux_x86_64")
        site(folder, "lib/python3.14/site-packages", "fine", {"fine/_x.abi3.so": b"x"}, "cp39-abi3-linux_x86_64")
        site(folder, "lib/python3.15t/site-packages", "later", {"later/_x.abi3.so": b"x"}, "cp39-abi3-linux_x86_64")
        found = report(folder)["findings"]
        s.equal([(f["state"], f["path"], f["line"], f["confidence"]) for f in found], [("stable", SITE14 + "/stable-1.0.dist-info/RECORD", 1, "high")])
        s.check("may crash" in found[0]["message"], found[0]["message"])


def test_installed(s):
    free = "Classifier: Programming Language :: Python :: Free Threading"
    with temporary() as folder:
        write_file(os.path.join(folder, "pyvenv.cfg"), "")
        site(folder, SITE14, "plain", {"plain/__init__.py": "", "requirements.txt": "numpy==1\n"}, "py3-none-any", free + " :: 3 - Stable\n")
        site(folder, SITE14, "bare", {"bare.py": "import orjson\n"}, "py3-none-any", free + "\n")
        site(folder, SITE14, "quiet", {"quiet.py": ""}, "py3-none-any", "Classifier: Programming Language :: Python\n")
        site(folder, SITE14, "windows", {"w.cp314t-win_amd64.pyd": b"MZ"}, "cp314-cp314t-win_amd64")
        site(folder, SITE14, "orjson", {"orjson/__init__.py": "", "../../bin/x.so": "", "/etc/x.so": ""}, "cp311-cp311-linux_x86_64")
        write_file(os.path.join(folder, SITE14, "broken-1.dist-info/METADATA"), "Version: 1\n\n")
        got = {n: f[2:] for n, f in facts(folder).items()}
        s.equal(got, {"plain": ("pure", "off", "stated"), "bare": ("pure", "off", "stated"), "quiet": ("pure", "off", "unknown"),
                      "windows": ("yes", "unknown", "unknown"), "orjson": ("no", "on", "unknown")})
        s.equal([(n["code"], n["line"]) for n in report(folder)["notes"]], [("metadata", 1)])
        p = packages(folder)
        s.check("3 - Stable" in p["plain"]["safe"]["reason"] and p["plain"]["safe"]["evidence"].endswith("METADATA:4"), str(p["plain"]["safe"]))
        s.equal(p["orjson"]["imports"], [], "installed code is not the project's")
    with temporary() as project:
        write_tree(project, {"pyproject.toml": "[project]\n", ".venv/pyvenv.cfg": ""})
        for name in ("one", "two"):
            site(os.path.join(project, ".venv"), SITE14, name, {name + ".py": ""}, "py3-none-any")
        s.equal(packages(project), {}, "a virtual environment is read only when it is named")
        s.equal(sorted(packages(project, ".venv")), ["one", "two"])


# --- Output ----------------------------------------------------------------------------------------------------------------------

def test_output(s):
    with temporary() as folder:
        write_tree(folder, {"requirements.txt": "orjson\nrequests==2.0\nnumpy>=1\n"})
        result = deps(folder)
        s.equal(result.code, 1)
        head, *rows = result.out.split("\n\n")[0].split("\n")
        s.equal(head.split("  ")[0], "package")
        s.equal([" ".join(r.split()) for r in rows], ["numpy >=1 requirements.txt:3 yes unknown unknown", "orjson any requirements.txt:1 no on unknown",
                                                     "requests 2.0 requirements.txt:2 pure off unknown"])
        s.equal(result.out.rstrip("\n").split("\n")[-1],
                "3 packages in 1 file for free-threaded Python 3.14: GIL stays off 1, comes back 1, not known 1; 2 findings")
        s.equal([l.split(" ")[1] for l in deps(folder, "-q").out.splitlines()], ["UG501", "UG502"], "-q prints the findings alone")
        s.check("   = GIL: on, its import was seen to turn the GIL on; ungil's table (" in deps(folder, "-v").out, "-v gives reasons")
        s.check("\033[" in deps(folder, "--color", "always").out and "\033[" not in result.out, "colours")
        s.equal(deps(folder, "--exit-zero").code, 0)
        s.equal(deps(folder).raw, deps(folder, "-j", "2").raw, "twice the same")
        s.equal(deps(folder, "-o", "out.txt").out, "")
        s.equal(lib.read_file(os.path.join(folder, "out.txt")), result.raw, "-o")
        for format in ("concise", "jsonl", "sarif", "rdjson", "github", "gitlab", "junit", "markdown", "html"):
            other = deps(folder, "--format", format)
            s.check(other.code == 1 and "UG501" in other.out and "UG502" in other.out, lambda: str(other))
        s.equal(deps(folder, "--format", "yaml").code, 2)
        s.equal(deps(folder, "--fix").code, 2)
        write_tree(folder, {"requirements.txt": "requests==2.0\n"})
        s.equal(deps(folder).code, 0, "nothing to report")
        write_tree(folder, {"requirements.txt": ""})
        s.equal((deps(folder).code, report(folder)["packages"]), (0, []), "no packages")


def test_configuration(s):
    with temporary() as folder:
        write_tree(folder, {"a/requirements.txt": "orjson\n", "b/requirements.txt": "numpy==1.0\n",
                            "pyproject.toml": '[tool.ungil]\nexclude = ["a"]\n[tool.ungil.rules.UG502]\nseverity = "note"\n'})
        result = ungil("deps", "--format", "json", "--no-cache", cwd=folder)
        s.equal([(f["rule"], f["severity"]) for f in result.json()["findings"]], [("UG502", "note")])
        s.equal(result.code, 0, "notes do not count")
        write_tree(folder, {"pyproject.toml": '[tool.ungil.per-file-ignores]\n"b/*" = ["UG5"]\n'})
        s.equal([f["rule"] for f in ungil("deps", "--format", "json", "--no-cache", cwd=folder).json()["findings"]], ["UG501"])


# --- Bad input --------------------------------------------------------------------------------------------------------------------

def test_damaged(s):
    bad = {"uv.lock": ["", "[[package]]\n", "[[package]]\nname = 1\n", "package = 1\n", "[package]\nname = 'x'\n", "a = [[[[", "a = " + "[" * 100000 + "]" * 100000,
                       "a" + ".a" * 200000 + " = 1\n", "[" + "a." * 200000 + "a]\n", "\x00", "[[package]]\nname = 'x'\nversion = 1\nwheels = 3\nfiles = {}\n",
                       "[[package]]\nname = 'x'\nwheels = [1, {}, {url = 2}, 'x.whl', {url = '%'}, {url = '%4'}]\n", "[[package]]\nname = '" + "x" * 100000 + "'\n"],
           "poetry.lock": ["[metadata]\nfiles = 1\n", "[[package]]\nname='a'\n[metadata.files]\na = 1\n\"A\" = 2\n"],
           "Pipfile.lock": ["", "{", "[]", '{"default": 1}', '{"default": {"a": 1, "b": {"version": 1}, "": {}, "c": {"version": ">=1"}}}', "{\"default\": " * 5000],
           "pyproject.toml": ["project = 1\n", "[project]\nname = 1\ndependencies = 1\n", "[project]\ndependencies = [1, {}, []]\noptional-dependencies = []\n",
                              "[tool.poetry]\ndependencies = []\ngroup = 1\n", "[tool.poetry.dependencies]\na = 1\nb = {version = 1}\nc = [1]\n\"!\" = '1'\n"],
           "requirements.txt": ["\\", "a==1 \\\n\\\n\\\n", "#\\\na==1\n", "-r\n", "-r \n-c\n--requirement\n", "[x]\n", "@\n", ";\n", "a;\n", "a[\n", "-r requirements.txt\n",
                                "a" * 100000 + "\n", "a==" + "1." * 50000 + "1\n", "a" + ",>=1" * 20000 + "\n", "a ; " + "(" * 50000 + "\n", "\xe9\n".encode("latin-1"), b"a\r==1\r"],
           "setup.cfg": ["[", "[options\ninstall_requires\n", "  x\n", "[options]\ninstall_requires = !!\n"],
           "setup.py": ["install_requires=", "install_requires=[", "install_requires=['a'", "install_requires=['a\\'b']", "install_requires==['a']", "xinstall_requires=['a']"]}
    for name, texts in bad.items():
        for text in texts:
            with temporary() as folder:
                write_file(os.path.join(folder, name), text)
                result = deps(folder, "--format", "json")
                s.check(result.code in (0, 1) and result.json()["version"] == 1, lambda: "%s %r\n%s" % (name, text[:60], result))


def test_large(s):
    n = 30000
    whole = {"uv.lock": "version = 1\n" + "".join(uv("p%d" % i, "1.%d" % i, "p%d-1.%d-py3-none-any.whl" % (i, i)) for i in range(n)),
             "poetry.lock": "".join('[[package]]\nname = "p%d"\nversion = "1"\n' % i for i in range(n)) + "[metadata.files]\n"
                            + "".join('p%d = [{file = "p%d-1-py3-none-any.whl", hash = "sha256:0"}]\n' % (i, i) for i in range(n)),
             "Pipfile.lock": json.dumps({"default": {"p%d" % i: {"version": "==1"} for i in range(n)}}),
             "pyproject.toml": "[project]\ndependencies = [%s]\n" % ", ".join('"p%d>=1"' % i for i in range(n)),
             "requirements.txt": "".join("p%d==1\n" % i for i in range(n))}
    for name, text in whole.items():
        with temporary() as folder:
            write_file(os.path.join(folder, name), text)
            result = deps(folder, "-o", "out", timeout=20)
            s.check(result.code == 0 and lib.read_file(os.path.join(folder, "out")).rstrip().split(b"\n")[-1].startswith(b"%d packages" % n),
                    lambda: "%d packages in %s\n%s" % (n, name, result))
    with temporary() as folder:
        with open(os.path.join(folder, "uv.lock"), "wb") as f:
            f.truncate(50 << 20)
        s.equal(notes(folder), [("unreadable", "uv.lock", 0)], "a lock of 50 MiB")
    with temporary() as folder:
        write_tree(folder, {"requirements.txt": "-r requirements/0.txt\n", **{"requirements/%d.txt" % i: "p%d==1\n-r %d.txt\n" % (i, i + 1) for i in range(300)}})
        s.equal((len(packages(folder, "requirements.txt")), notes(folder, "requirements.txt")[0][0]), (50, "include"), "a chain of includes")


if __name__ == "__main__":
    suite = lib.Suite("deps")
    suite.run_module(sys.modules["__main__"])
    sys.exit(suite.end())
