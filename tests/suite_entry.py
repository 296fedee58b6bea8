#!/usr/bin/env python3
"""The ready-made entry points, run as their services would: each shell step of action.yml with its inputs and conditions worked out, the
scripts of the GitLab template, and the hooks by pre-commit itself; and the examples of docs/ci.md against the services' schemas.

YAML is read by the Python of tests/validators.sh; without it everything here is skipped.
"""
import json
import os
import re
import shutil
import sys

import lib
from lib import git, temporary, ungil, write_file, write_tree
from samples import CACHE, CLEAN, COUNTER
from suite_formats import PYTHON, TOOLS

BIN = os.path.join(TOOLS, "python/bin")
PROJECT = {"app/__init__.py": "", "app/stats.py": COUNTER, "app/util.py": CLEAN}
QUIET = {"app/__init__.py": "", "app/util.py": CLEAN}


def yaml(text):
    """Every document of a YAML text."""
    program = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(sys.stdin.buffer)), sys.stdout, default=str)"
    done = lib.execute([PYTHON, "-c", program], input=text if isinstance(text, bytes) else text.encode())
    if done.code:
        raise ValueError(str(done))
    return json.loads(done.raw)


def top(name):
    return lib.read_file(os.path.join(lib.TOP, name))


def schema(c, kind, text):
    with temporary() as folder:
        write_file(os.path.join(folder, "x.yml"), text)
        c.code(lib.execute([os.path.join(BIN, "check-jsonschema"), "--builtin-schema", "vendor." + kind, "x.yml"], cwd=folder), 0)


def path_with(folder):
    """A folder for PATH where `ungil` is the program under test."""
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(os.path.join(folder, "ungil")):
        os.symlink(lib.UNGIL, os.path.join(folder, "ungil"))
    return folder + ":" + os.environ["PATH"]


def without_ungil():
    return ":".join(p for p in os.environ["PATH"].split(":") if not os.path.exists(os.path.join(p, "ungil")))


# --- GitHub Actions ------------------------------------------------------------------------------------------------------------

class Expressions:
    """The expressions of GitHub Actions that action.yml uses: names, strings, == != && || and parentheses."""

    def __init__(self, contexts):
        self.contexts = contexts

    def value(self, name):
        at = self.contexts
        for part in name.split("."):
            at = at.get(part, "") if isinstance(at, dict) else ""
        return at

    def of(self, text):
        tokens = re.findall(r"'(?:[^']|'')*'|==|!=|&&|\|\||[()]|[A-Za-z_][\w.-]*|\S", text)
        python = []
        for t in tokens:
            if t in ("==", "!=", "(", ")"):
                python.append(t)
            elif t in ("&&", "||"):
                python.append({"&&": "and", "||": "or"}[t])
            elif t[0] == "'":
                python.append(repr(t[1:-1].replace("''", "'")))
            elif re.match(r"[A-Za-z_]", t):
                python.append(repr(self.value(t)))
            else:
                raise ValueError("not understood: %s in %s" % (t, text))
        return eval(" ".join(python))

    def fill(self, text):
        def one(m):
            value = self.of(m.group(1))
            return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else str(value)
        return re.sub(r"\$\{\{(.*?)\}\}", one, str(text))


class Runner:
    """Runs a composite action: its shell steps for real, the steps that use other actions by writing down what they were given."""

    def __init__(self, folder, home, event="push", payload=None, **more):
        self.folder, self.home, self.log, self.used = folder, home, "", []
        os.makedirs(os.path.join(home, "temp"), exist_ok=True)
        self.summary = os.path.join(home, "summary.md")
        write_file(os.path.join(home, "event.json"), json.dumps(payload or {}))
        self.contexts = {"github": {"token": "t0ken", "action_path": more.pop("action_path", lib.TOP), "event_name": event, "repository": "o/r",
                                    "event": payload or {}}, "runner": {"temp": os.path.join(home, "temp"), "os": "Linux", "arch": "X64"},
                         "steps": {}, "inputs": {}}
        self.env = lib.environment(GITHUB_STEP_SUMMARY=self.summary, GITHUB_EVENT_NAME=event, GITHUB_REPOSITORY="o/r", GITHUB_ACTIONS="true", CI="true",
                                   GITHUB_EVENT_PATH=os.path.join(home, "event.json"), PATH=more.pop("PATH", None) or path_with(os.path.join(home, "bin")), **more)

    def run(self, **inputs):
        action = yaml(top("action.yml"))[0]
        expressions = Expressions(self.contexts)
        for name, spec in action["inputs"].items():
            self.contexts["inputs"][name] = inputs.pop(name.replace("-", "_"), None) or expressions.fill(spec["default"])
        assert not inputs, inputs
        failed = None
        for n, step in enumerate(action["runs"]["steps"]):
            if failed is not None or ("if" in step and not expressions.of(step["if"])):
                continue
            if "uses" in step:
                self.used.append((step["uses"], {k: expressions.fill(v) for k, v in step["with"].items()}))
                continue
            assert "${{" not in step["run"], "an expression in a script would let an input run commands"
            output = os.path.join(self.home, "output%d" % n)
            write_file(output, "")
            script = os.path.join(self.home, "step%d.sh" % n)
            write_file(script, step["run"])
            env = dict(self.env, GITHUB_OUTPUT=output, **{k: expressions.fill(v) for k, v in step.get("env", {}).items()})
            done = lib.execute(["bash", "--noprofile", "--norc", "-eo", "pipefail", script], cwd=self.folder, env=env, timeout=60)
            self.log += "\n== %s\n%s" % (step.get("name"), done)
            values = dict(line.split("=", 1) for line in lib.read_file(output).decode().splitlines())
            self.contexts["steps"][step.get("id", str(n))] = {"outputs": values}
            if done.code:
                failed = done.code
        self.outputs = {k: expressions.fill(v["value"]) for k, v in action["outputs"].items()}
        return failed or 0


def repository(folder, files=PROJECT):
    write_tree(folder, files)
    lib.git_start(folder)


def test_action_push(c):
    with temporary() as folder, temporary() as home:
        repository(folder)
        r = Runner(folder, home)
        c.equal(r.run(), 1, r.log)
        c.equal(r.outputs["status"], "1")
        sarif = json.loads(lib.read_file(r.outputs["sarif-file"]))
        c.equal([x["ruleId"] for x in sarif["runs"][0]["results"]], ["UG101"])
        c.check("### ungil: 1 finding" in lib.read_file(r.summary).decode(), r.log)
        c.equal([u for u, _ in r.used], ["github/codeql-action/upload-sarif@v3"])
        c.equal(r.used[0][1]["sarif_file"], r.outputs["sarif-file"])
        for inputs, status in (({"fail_on": "never"}, 0), ({"fail_on": "any"}, 1), ({"fail_on": "sometimes"}, 2), ({"options": "--select UG2"}, 0),
                               ({"options": "--no-such-option"}, 2), ({"paths": "app/util.py app/__init__.py"}, 0), ({"paths": "missing"}, 2),
                               ({"check_options": "--exit-zero"}, 0), ({"paths": "$(touch made) *"}, 2), ({"program": "no-such-ungil"}, 2)):
            again = Runner(folder, home)
            c.equal(again.run(**inputs), status, again.log)
        c.check(not os.path.exists(os.path.join(folder, "made")), "an input ran a command")
        off = Runner(folder, home)
        off.run(upload_sarif="false")
        c.equal(off.used, [])


def pull_request(folder, change, fork=False):
    """main and a branch with a change, checked out as actions/checkout does; the event about it."""
    repository(folder)
    base = git("rev-parse", "HEAD", cwd=folder).out.strip()
    git("checkout", "-q", "-b", "feature", cwd=folder)
    write_tree(folder, change)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "Change", cwd=folder)
    head = git("rev-parse", "HEAD", cwd=folder).out.strip()
    return {"number": 7, "pull_request": {"number": 7, "base": {"sha": base, "ref": "main"},
                                          "head": {"sha": head, "ref": "feature", "repo": {"full_name": "someone/r" if fork else "o/r"}}}}


def test_action_pull_request(c):
    """Only what the pull request adds makes the job fail."""
    for change, status in (({"app/util.py": CLEAN + "\n"}, 0), ({"app/more.py": CACHE}, 1)):
        for fork in (False, True):
            with temporary() as folder, temporary() as home:
                r = Runner(folder, home, "pull_request", pull_request(folder, change, fork))
                c.equal(r.run(post_review="false"), status, r.log)
                c.equal((r.outputs["status"], r.outputs["new"]), ("1", str(status)))
                c.equal(len(r.used), 0 if fork else 1, "the token of a fork may not upload")
                c.equal("file=app/more.py" in r.log, bool(status), r.log)
                c.check("file=app/stats.py" not in r.log, "what was there before is not new\n" + r.log)
                strict = Runner(folder, home, "pull_request", pull_request_again(r))
                c.equal(strict.run(post_review="false", fail_on="any"), 1, strict.log)


def pull_request_again(runner):
    return runner.contexts["github"]["event"]


def test_action_posts(c):
    """With the right to write, comments are planned; a fork's token gets annotations."""
    if "--dry-run" not in ungil("review", "--help").out:
        return c.skip("this version does not post")
    for fork in (False, True):
        with temporary() as folder, temporary() as home:
            r = Runner(folder, home, "pull_request", pull_request(folder, {"app/more.py": CACHE}, fork), GITHUB_API_URL="http://127.0.0.1:9/")
            code = r.run(review_options="" if fork else "--dry-run")
            c.equal("::warning file=app/more.py" in r.log, fork, r.log)
            c.check("t0ken" not in r.log, "the token is in the log")
            if fork:
                c.equal(code, 1, r.log)


FAKE = """setup:
\t@echo setting up
release:
\t@mkdir -p build-release && cp program build-release/ungil && echo made >>made
install:
\tcp program $(DESTDIR)/ungil
"""


def test_action_builds(c):
    """Without ungil on PATH it is built from the action's source, once: what the cache brings back is used."""
    with temporary() as folder, temporary() as home, temporary() as source:
        repository(folder, QUIET)
        write_tree(source, {"Makefile": FAKE, "package-lock.json": "{}", "src/a.c": "", "transforms/a.md": "", "docs/rules/a.md": ""})
        shutil.copy(lib.UNGIL, os.path.join(source, "program"))
        keys = []
        for round in range(3):
            if round == 2:
                write_file(os.path.join(source, "src/a.c"), "int x;\n")
            r = Runner(folder, home, action_path=source, PATH=without_ungil())
            c.equal(r.run(), 0, r.log)
            c.equal(r.used[0][0], "actions/cache@v4", r.log)
            c.equal(r.used[0][1]["path"], source + "/build-release")
            keys.append(r.used[0][1]["key"])
            c.has(lib.execute(["cat", "made"], cwd=source), "made")
        c.equal(lib.read_file(os.path.join(source, "made")), b"made\n", "built once")
        c.check(keys[0] == keys[1] != keys[2] and keys[0].startswith("ungil-Linux-X64-"), keys)


def test_action_schema(c):
    schema(c, "github-actions", top("action.yml"))


# --- GitLab -------------------------------------------------------------------------------------------------------------------

def gitlab_jobs(**inputs):
    """The template as GitLab reads it: inputs put in, `extends` merged."""
    spec, _ = yaml(top("templates/ungil.yml"))
    body = top("templates/ungil.yml").decode().split("\n---\n", 1)[1]
    values = {k: (v or {}).get("default") for k, v in spec["spec"]["inputs"].items()}
    values.update(inputs)

    def put(m):
        value = values[m.group(1)]
        return {True: "true", False: "false"}.get(value) if isinstance(value, bool) else json.dumps(value)
    body = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", put, body)
    jobs, = yaml(body)
    base = jobs[".ungil"]
    return body, {name: {**base, **job} for name, job in jobs.items() if name[0] != "."}


def gitlab_run(job, folder, home, **more):
    """before_script and script in one shell, as the runner does."""
    script = "\n".join(job["before_script"] + job["script"])
    variables = {k: str(v) for k, v in job["variables"].items()}
    more.setdefault("PATH", path_with(os.path.join(home, "bin")))
    env = lib.environment(CI="true", GITLAB_CI="true", CI_BUILDS_DIR=home, CI_PIPELINE_SOURCE="merge_request_event", **variables, **more)
    return lib.execute(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder, env=env, timeout=60)


def test_gitlab_schema(c):
    body, jobs = gitlab_jobs(source="https://gitlab.example/o/ungil.git")
    schema(c, "gitlab-ci", body)
    c.equal(sorted(jobs), ["ungil", "ungil-review"])
    c.equal(jobs["ungil-review"]["allow_failure"], False)


def test_gitlab_check(c):
    _, jobs = gitlab_jobs()
    for files, n in ((PROJECT, 1), (QUIET, 0)):
        with temporary() as folder, temporary() as home:
            repository(folder, files)
            c.code(gitlab_run(jobs["ungil"], folder, home), 0)
            report = json.loads(lib.read_file(os.path.join(folder, jobs["ungil"]["artifacts"]["reports"]["codequality"])))
            c.equal(len(report), n)
    with temporary() as folder, temporary() as home:
        repository(folder)
        _, wrong = gitlab_jobs(options="--no-such-option")
        c.code(gitlab_run(wrong["ungil"], folder, home), 2)
        _, some = gitlab_jobs(paths="app/util.py app/__init__.py")
        c.code(gitlab_run(some["ungil"], folder, home), 0)
        c.equal(json.loads(lib.read_file(os.path.join(folder, "gl-code-quality-report.json"))), [])


def test_gitlab_review(c):
    _, jobs = gitlab_jobs()
    for change, status in (({"app/util.py": CLEAN + "\n"}, 0), ({"app/more.py": CACHE}, 1)):
        with temporary() as folder, temporary() as home:
            event = pull_request(folder, change)["pull_request"]
            result = gitlab_run(jobs["ungil-review"], folder, home, CI_MERGE_REQUEST_IID="7", CI_COMMIT_SHA=event["head"]["sha"],
                                CI_MERGE_REQUEST_DIFF_BASE_SHA=event["base"]["sha"])
            c.code(result, status)
            c.equal("app/more.py" in result.out, bool(status), result)


def test_gitlab_builds(c):
    with temporary() as folder, temporary() as home, temporary() as source:
        repository(folder, QUIET)
        _, none = gitlab_jobs()
        c.has(gitlab_run(none["ungil"], folder, home, PATH=without_ungil()), "image or source")
        write_file(os.path.join(source, "Makefile"), FAKE)
        shutil.copy(lib.UNGIL, os.path.join(source, "program"))
        lib.git_start(source)
        _, jobs = gitlab_jobs(source=source)
        os.makedirs(os.path.join(home, "made"))
        result = gitlab_run(jobs["ungil"], folder, home, PATH=os.path.join(home, "made") + ":" + without_ungil(), DESTDIR=os.path.join(home, "made"))
        c.code(result, 0)
        c.has(result, "setting up", "ungil 0")


# --- pre-commit ---------------------------------------------------------------------------------------------------------------

def hooks_repository(folder):
    shutil.copy(os.path.join(lib.TOP, ".pre-commit-hooks.yaml"), folder)
    lib.git_start(folder)
    return git("rev-parse", "HEAD", cwd=folder).out.strip()


def with_hooks(test):
    """The test gets a repository whose commits run both hooks through pre-commit."""
    def run(c):
        if not os.path.exists(os.path.join(BIN, "pre-commit")):
            return c.skip("no pre-commit (tests/validators.sh --build)")
        with temporary() as folder, temporary() as home, temporary() as hooks:
            rev = hooks_repository(hooks)
            env = lib.environment(PRE_COMMIT_HOME=os.path.join(home, "pre-commit"), PATH=BIN + ":" + path_with(os.path.join(home, "bin")))

            def call(*args):
                return lib.execute([os.path.join(BIN, "pre-commit"), *args], cwd=folder, env=env, timeout=60)

            def configure(*ids):
                write_file(os.path.join(folder, ".pre-commit-config.yaml"),
                           json.dumps({"repos": [{"repo": hooks, "rev": rev, "hooks": [{"id": i} for i in ids]}]}))
                lib.git("add", "-A", cwd=folder)
            repository(folder)
            test(c, folder, call, configure, env)
    return run


@with_hooks
def test_hook_check(c, folder, call, configure, env):
    configure("ungil")
    c.code(call("install"), 0)
    c.code(lib.execute(["git", "commit", "-m", "No Python in it"], cwd=folder, env=env), 0)
    write_file(os.path.join(folder, "app/util.py"), CLEAN + "\n")
    lib.git("add", "-A", cwd=folder)
    stopped = lib.execute(["git", "commit", "-m", "More"], cwd=folder, env=env)
    c.code(stopped, 1)
    c.has(stopped, "app/stats.py:8:5", "UG101", stream="both")
    ungil("fix", cwd=folder)
    lib.git("add", "-A", cwd=folder)
    c.code(lib.execute(["git", "commit", "-m", "More"], cwd=folder, env=env), 0)
    c.code(call("run", "--all-files"), 0)


@with_hooks
def test_hook_fix(c, folder, call, configure, env):
    configure("ungil-fix")
    first = call("run", "--all-files")
    c.code(first, 1)
    c.has(first, "files were modified by this hook")
    c.check(b"_lock" in lib.read_file(os.path.join(folder, "app/stats.py")))
    lib.git("add", "-A", cwd=folder)
    c.code(call("run", "--all-files"), 0)


def test_hook_manifest(c):
    if not os.path.exists(os.path.join(BIN, "pre-commit")):
        return c.skip("no pre-commit (tests/validators.sh --build)")
    c.code(lib.execute([os.path.join(BIN, "pre-commit"), "validate-manifest", ".pre-commit-hooks.yaml"], cwd=lib.TOP), 0)


# --- the documented examples ----------------------------------------------------------------------------------------------------

def test_examples(c):
    """The YAML of docs/ci.md is what the services take, and names only inputs and hooks that there are."""
    blocks = re.findall(r"```yaml\n(.*?)```", top("docs/ci.md").decode(), re.S)
    c.equal(len(blocks), 3)
    workflow, gitlab, hooks = blocks
    schema(c, "github-workflows", workflow)
    inputs = yaml(top("action.yml"))[0]["inputs"]
    step = yaml(workflow)[0]["jobs"]["ungil"]["steps"][1]
    c.check(set(step["with"]) <= set(inputs), step)
    schema(c, "gitlab-ci", gitlab)
    spec = yaml(top("templates/ungil.yml"))[0]["spec"]["inputs"]
    c.check(set(yaml(gitlab)[0]["include"][0]["inputs"]) <= set(spec), gitlab)
    ids = {h["id"] for h in yaml(top(".pre-commit-hooks.yaml"))[0]}
    c.check({h["id"] for r in yaml(hooks)[0]["repos"] for h in r["hooks"]} == ids, hooks)
    text = top("docs/ci.md").decode()
    for name in list(inputs) + list(spec):
        c.check("`%s`" % name in text, "docs/ci.md does not tell of the input " + name)


if __name__ == "__main__":
    suite = lib.Suite("entry")
    if os.path.exists(PYTHON):
        suite.run_module(sys.modules["__main__"])
    else:
        suite.skip("everything", "YAML cannot be read here (tests/validators.sh --build)")
    sys.exit(suite.end())
