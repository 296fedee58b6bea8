/* `ungil bench SCRIPT`: runs a script under an interpreter with the GIL and a free-threaded one, in turns, and
 * compares times, memory, output and exit status.
 *
 * The script runs as __main__ under a small launcher, which reports through a pipe of its own whether the GIL is on:
 * before the script, and in the last exit handler, after all threads but daemons have ended. Once on, the GIL stays
 * on, and so these two tell the whole story. A script that ends by os._exit, a signal or exec leaves the second open.
 *
 * Standard error is not compared: warnings name versions. A race that shows itself in a difference is one; no
 * difference proves nothing. */
#include "app/bench.h"

#include <unistd.h>

enum { PROBE_SECONDS = 60 };

static const char launcher[] =
    "def _launch():\n"
    "    import __main__, atexit, io, os, sys\n"
    "    fd = 3\n"
    "    try:\n"
    "        fd = os.dup2(3, 200, inheritable=False)\n" /* out of the way of what the script opens */
    "        os.close(3)\n"
    "    except OSError:\n"
    "        os.set_inheritable(3, False)\n"
    "    gil = getattr(sys, '_is_gil_enabled', lambda: True)\n"
    "    def say(when):\n"
    "        try:\n"
    "            os.write(fd, b'%s %d\\n' % (when, gil()))\n"
    "        except OSError:\n"
    "            pass\n"
    "    say(b'start')\n"
    "    atexit.register(say, b'end')\n"
    "    del sys.argv[0], __main__._launch\n"
    "    script = sys.argv[0]\n"
    "    if sys.path and sys.path[0] == '':\n"
    "        sys.path[0] = os.path.dirname(os.path.realpath(script))\n"
    "    __main__.__file__ = os.path.abspath(script)\n"
    "    if sys.version_info < (3, 15):\n" /* which no longer has it */
    "        __main__.__cached__ = None\n"
    "    with io.open_code(__main__.__file__) as f:\n"
    "        return compile(f.read(), script, 'exec', dont_inherit=True)\n"
    "exec(_launch())\n";

static const char probe[] =
    "import sys, sysconfig\n"
    "print(sys.executable)\n"
    "print('%d.%d.%d' % sys.version_info[:3])\n"
    "print(int(bool(sysconfig.get_config_var('Py_GIL_DISABLED'))))\n";

/* ---- interpreters -------------------------------------------------------------------------------------- */

/* Asks the interpreter what it is. What it calls itself is run afterwards: no wrapper of a version manager is
 * measured with it. */
static bool side_probe(Bench *b, BenchSide *side, const char *python, Err *e)
{
    const char *argv[] = {python, "-c", probe, NULL};
    static const char *const set[] = {"PYTHON_GIL", NULL};
    ProcessOrder order = {.argv = argv, .set = set, .seconds = PROBE_SECONDS, .keep = 1 << 16};
    ProcessEnd end;
    if (!process_run(b->a, &order, &end, e)) return false;
    Str rest = end.text[PROCESS_OUT], path = {0}, version = {0}, build = {0};
    bool ok = end.status == 0 && str_line(&rest, &path) && str_line(&rest, &version) && str_line(&rest, &build);
    if (!ok || !path.n)
        return err_set(e, "%s does not answer as Python 3 does (%.*s); use --gil or --free-threaded", python,
                       STR_ARG(process_ending(b->a, &order, &end)));
    side->python = str_c(b->a, path);
    side->version = version;
    side->free_threaded = str_is(build, "1");
    return true;
}

static bool gil_side_find(Bench *b, Err *e)
{
    const char *name = b->o->bench.gil.n ? b->o->bench.gil.p : "python3";
    if (!process_find(b->a, name))
        return err_set(e, "there is no program %s; name a Python with the GIL: --gil PYTHON", name);
    return side_probe(b, &b->sides[BENCH_GIL_SIDE], name, e);
}

static bool free_side_find(Bench *b, Err *e)
{
    static const char *const names[] = {"python3.14t", "python3.13t", "python3.15t"};
    const char *from = getenv("UNGIL_FT_PYTHON"), *name = NULL;
    if (b->o->bench.free_threaded.n)
        name = b->o->bench.free_threaded.p;
    else if (from && *from)
        name = from;
    for (u32 i = 0; !name && i < COUNT_OF(names); i++)
        if (process_find(b->a, names[i])) name = names[i];
    if (!name)
        return err_set(e, "no free-threaded Python found: UNGIL_FT_PYTHON is not set, and PATH has no python3.14t, "
                          "python3.13t or python3.15t; name one: --free-threaded PYTHON");
    if (!process_find(b->a, name)) return err_set(e, "there is no program %s to run as free-threaded Python", name);
    BenchSide *side = &b->sides[BENCH_FREE_SIDE];
    if (!side_probe(b, side, name, e)) return false;
    return side->free_threaded ||
           err_set(e, "%s (%.*s) is not a free-threaded build; name one: --free-threaded PYTHON", side->python,
                   STR_ARG(side->version));
}

/* ---- runs ---------------------------------------------------------------------------------------------- */

/* What the launcher wrote: "start 0" and "end 0", or 1 for a GIL that is on. */
static void gil_read(BenchRun *run, Str text)
{
    for (Str line; str_line(&text, &line);) {
        u8 state = str_ends(line, S(" 1")) ? BENCH_GIL_ON : BENCH_GIL_OFF;
        if (str_starts(line, S("start "))) run->gil_start = state;
        if (str_starts(line, S("end "))) run->gil_end = state;
    }
}

/* The modules that the interpreter's RuntimeWarning blames: "... has been enabled to load module 'x', which ...". */
static void culprits_read(Bench *b, Str error)
{
    const Str before = S("has been enabled to load module '");
    for (size_t at; (at = str_search(error, before)) < error.n;) {
        error = str_slice(error, at + before.n, error.n);
        Str name = str_dup(b->a, str_slice(error, 0, str_find(error, '\'')));
        bool there = false;
        for (u32 i = 0; i < b->enabled_by.n; i++) there |= str_eq(b->enabled_by.v[i], name);
        if (!there) vec_push(b->a, &b->enabled_by, name);
    }
}

static Str last_line(Str text)
{
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r')) text.n--;
    return str_slice(str_last(text, '\n'), 0, 300);
}

static bool run_once(Bench *b, BenchWho who, Err *e)
{
    Arena scratch = {0};
    BenchSide *side = &b->sides[who];
    const Options *o = b->o;
    const char **argv = arena_new(&scratch, const char *, o->args.n + 4);
    const char *set[] = {getenv("PYTHONHASHSEED") ? NULL : "PYTHONHASHSEED=0", NULL, NULL};
    /* A build with the GIL refuses PYTHON_GIL=0; a free-threaded one can be run with it. */
    if (who == BENCH_GIL_SIDE) set[set[0] ? 1 : 0] = side->free_threaded ? "PYTHON_GIL=1" : "PYTHON_GIL";
    argv[0] = side->python;
    argv[1] = "-c";
    argv[2] = launcher;
    for (u32 i = 0; i < o->args.n; i++) argv[3 + i] = str_c(&scratch, o->args.v[i]);
    ProcessOrder order = {.argv = argv, .set = set, .seconds = o->time_limit, .keep = BENCH_KEEP, .side = true};
    ProcessEnd end;
    bool ok = process_run(&scratch, &order, &end, e);
    if (ok) {
        BenchRun *run = vec_add(b->a, &side->runs);
        Str text = end.text[PROCESS_OUT];
        if (end.bytes[PROCESS_OUT] > text.n)
            text = str_fmt(&scratch, "%.*s\n(%llu bytes in all)", STR_ARG(text),
                           (unsigned long long)end.bytes[PROCESS_OUT]);
        *run = (BenchRun){.wall = end.wall, .user = end.user, .system = end.system, .peak = end.peak,
                          .output_bytes = end.bytes[PROCESS_OUT], .status = end.status, .signal = end.signal,
                          .timed_out = end.timed_out};
        run->ending = intern(b->a, &b->endings, process_ending(&scratch, &order, &end));
        run->output = intern(b->a, &b->outputs, text);
        if (end.timed_out || end.status != 0) run->error = str_dup(b->a, last_line(end.text[PROCESS_ERR]));
        gil_read(run, end.text[PROCESS_SIDE]);
        if (who == BENCH_FREE_SIDE) culprits_read(b, end.text[PROCESS_ERR]);
    }
    arena_free(&scratch);
    return ok;
}

/* ---- the verdict --------------------------------------------------------------------------------------- */

static bool gil_side_has(const Bench *b, u32 id, bool output)
{
    const BenchSide *side = &b->sides[BENCH_GIL_SIDE];
    for (u32 i = 0; i < side->runs.n; i++)
        if ((output ? side->runs.v[i].output : side->runs.v[i].ending) == id) return true;
    return false;
}

static void bench_judge(Bench *b)
{
    const BenchSide *gil = &b->sides[BENCH_GIL_SIDE], *free = &b->sides[BENCH_FREE_SIDE];
    bool varies = false;
    b->same_ending = true;
    for (u32 i = 1; i < gil->runs.n; i++) varies |= gil->runs.v[i].output != gil->runs.v[0].output;
    for (u32 i = 0; i < free->runs.n; i++) {
        const BenchRun *run = &free->runs.v[i];
        b->same_ending &= gil_side_has(b, run->ending, false);
        b->differing += !gil_side_has(b, run->output, true);
        b->gil_on |= run->gil_start == BENCH_GIL_ON || run->gil_end == BENCH_GIL_ON;
    }
    b->output = !b->differing && !varies ? BENCH_SAME
                : varies                 ? BENCH_VARIES
                : gil->runs.n < 2        ? BENCH_ONE_RUN
                                         : BENCH_DIFFERS;
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

Spread bench_spread(const BenchSide *side, BenchMeasure measure)
{
    Arena scratch = {0};
    u32 n = side->runs.n;
    double *v = arena_new(&scratch, double, n + 1);
    for (u32 i = 0; i < n; i++) {
        const BenchRun *r = &side->runs.v[i];
        const double of[BENCH_MEASURES] = {r->wall, r->user, r->system, (double)r->peak};
        v[i] = of[measure];
    }
    CHECK(n);
    qsort(v, n, sizeof *v, by_value);
    Spread s = {(v[(n - 1) / 2] + v[n / 2]) / 2, v[0], v[n - 1]};
    arena_free(&scratch);
    return s;
}

static bool all_timed_out(const Bench *b)
{
    for (u32 s = 0; s < BENCH_SIDES; s++)
        for (u32 i = 0; i < b->sides[s].runs.n; i++)
            if (!b->sides[s].runs.v[i].timed_out) return false;
    return true;
}

int bench_run(Arena *a, const Options *o, Err *e)
{
    Bench b = {.a = a, .o = o};
    const char *script = str_c(a, o->args.v[0]);
    Str text;
    Buf out = {0};
    if (!os_read_file(a, script, 64 << 20, &text, e)) return 2; /* a sentence is better than two tracebacks */
    if (!gil_side_find(&b, e) || !free_side_find(&b, e)) return 2;
    for (u32 i = 0; i < o->bench.runs; i++) /* the order changes, so that a drift of the machine meets both */
        if (!run_once(&b, (BenchWho)(i % 2), e) || !run_once(&b, (BenchWho)(1 - i % 2), e)) return 2;
    if (all_timed_out(&b)) {
        err_set(e, "%s did not end within %u seconds under either interpreter: nothing was measured; --time-limit N",
                script, o->time_limit);
        return 2;
    }
    bench_judge(&b);
    bench_write(&out, &b);
    bool ok = emit_text(o, buf_view(&out), e), alike = b.same_ending && b.output != BENCH_DIFFERS && !b.gil_on;
    buf_free(&out);
    return !ok ? 2 : !alike && !o->exit_zero;
}
