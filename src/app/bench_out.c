/* The result of `ungil bench`: a small table with a verdict, or JSON with every run. */
#include "app/bench.h"
#include "emit/emit.h"
#include "emit/json.h"

static const char *const output_word[] = {"same", "differs", "varies", "one-run"};
static const char *const measure_key[BENCH_MEASURES] = {"wall", "user", "system", "peak"};

/* The first line in which the output of a free-threaded run is not that of the first run with the GIL. */
typedef struct Difference {
    u32 line;
    Str gil, free;
} Difference;

static bool difference_find(const Bench *b, Difference *d)
{
    const BenchSide *free = &b->sides[BENCH_FREE_SIDE];
    u32 first = b->sides[BENCH_GIL_SIDE].runs.v[0].output;
    for (u32 i = 0; b->output == BENCH_DIFFERS && i < free->runs.n; i++) {
        if (free->runs.v[i].output == first) continue;
        Str x = b->outputs.strs[first], y = b->outputs.strs[free->runs.v[i].output];
        d->line = 0;
        do {
            d->line++;
            d->gil = str_cut(x, '\n', &x);
            d->free = str_cut(y, '\n', &y);
        } while (str_eq(d->gil, d->free) && (x.n || y.n));
        d->gil = str_slice(d->gil, 0, 200);
        d->free = str_slice(d->free, 0, 200);
        return true;
    }
    return false;
}

static double speed_up(const Bench *b)
{
    double free = bench_spread(&b->sides[BENCH_FREE_SIDE], BENCH_WALL).median;
    return free > 0 ? bench_spread(&b->sides[BENCH_GIL_SIDE], BENCH_WALL).median / free : 0;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void cell_put(Buf *out, const BenchSide *side, BenchMeasure m)
{
    char text[96];
    Spread s = bench_spread(side, m);
    double unit = m == BENCH_PEAK ? 1 << 20 : 1;
    int digits = m == BENCH_PEAK ? 1 : 3;
    snprintf(text, sizeof text, "%.*f (%.*f to %.*f)", digits, s.median / unit, digits, s.least / unit, digits,
             s.most / unit);
    buf_fmt(out, "  %-30s", text);
}

static void table_put(Buf *out, const Bench *b)
{
    static const char *const names[BENCH_MEASURES] = {"wall, s", "user, s", "system, s", "peak, MiB"};
    const BenchSide *gil = &b->sides[BENCH_GIL_SIDE], *free = &b->sides[BENCH_FREE_SIDE];
    buf_fmt(out, "%-10s  %-30s  %s\n", "", "with the GIL", "free-threaded");
    buf_fmt(out, "%-10s  %-30s  %s\n", "Python",
            str_fmt(b->a, "%.*s%s", STR_ARG(gil->version), gil->free_threaded ? "t, PYTHON_GIL=1" : "").p,
            str_fmt(b->a, "%.*st", STR_ARG(free->version)).p);
    for (u32 m = 0; m < BENCH_MEASURES; m++) {
        buf_fmt(out, "%-10s", names[m]);
        cell_put(out, gil, (BenchMeasure)m);
        cell_put(out, free, (BenchMeasure)m);
        while (out->p[out->n - 1] == ' ') out->n--;
        buf_char(out, '\n');
    }
}

static void summary_put(Buf *out, const Bench *b)
{
    buf_fmt(out, "speed-up: %.2f", speed_up(b));
    if (b->sides[0].runs.n > 1) buf_fmt(out, " (median of %u runs each)", b->sides[0].runs.n);
    buf_char(out, '\n');
}

static void endings_put(Buf *out, const Bench *b)
{
    if (b->same_ending && b->endings.n == 1) {
        buf_fmt(out, "ended: with %.*s in all runs\n", STR_ARG(b->endings.strs[0]));
    } else {
        buf_c(out, b->same_ending ? "ended: in ways that both have\n" : "ended: DIFFERENTLY\n");
        for (u32 s = 0; s < BENCH_SIDES; s++)
            for (u32 k = 0; k < b->endings.n; k++) {
                u32 n = 0;
                for (u32 i = 0; i < b->sides[s].runs.n; i++) n += b->sides[s].runs.v[i].ending == k;
                if (!n) continue;
                buf_fmt(out, "  %s: %.*s in %u of %u runs\n", s ? "free-threaded" : "with the GIL",
                        STR_ARG(b->endings.strs[k]), n, b->sides[s].runs.n);
            }
    }
    for (u32 s = 0; s < BENCH_SIDES; s++)
        for (u32 i = 0; i < b->sides[s].runs.n; i++) {
            if (!b->sides[s].runs.v[i].error.n) continue;
            buf_fmt(out, "  last on standard error %s: ", s ? "free-threaded" : "with the GIL");
            safe_put(out, b->sides[s].runs.v[i].error);
            buf_char(out, '\n');
            break;
        }
}

static void output_put(Buf *out, const Bench *b)
{
    Difference d;
    switch (b->output) {
    case BENCH_SAME: buf_c(out, "output: the same in all runs\n"); break;
    case BENCH_VARIES:
        buf_c(out, "output: not compared, since it differs from run to run with the GIL, too\n");
        break;
    case BENCH_ONE_RUN:
        buf_c(out, "output: not the same, but one run does not tell whether it is with the GIL; use --runs\n");
        break;
    case BENCH_DIFFERS:
        buf_fmt(out, "output: DIFFERS in %u of %u free-threaded runs; all runs with the GIL agree\n", b->differing,
                b->sides[BENCH_FREE_SIDE].runs.n);
        if (!difference_find(b, &d)) break;
        buf_fmt(out, "  line %u with the GIL:  ", d.line);
        safe_put(out, d.gil);
        buf_fmt(out, "\n  line %u free-threaded: ", d.line);
        safe_put(out, d.free);
        buf_char(out, '\n');
    }
}

static void gil_put(Buf *out, const Bench *b)
{
    const BenchSide *free = &b->sides[BENCH_FREE_SIDE];
    u32 start = 0, later = 0, open = 0;
    for (u32 i = 0; i < free->runs.n; i++) {
        const BenchRun *r = &free->runs.v[i];
        start += r->gil_start == BENCH_GIL_ON;
        later += r->gil_start == BENCH_GIL_OFF && r->gil_end == BENCH_GIL_ON;
        open += r->gil_start == BENCH_GIL_UNKNOWN || (r->gil_start == BENCH_GIL_OFF && !r->gil_end);
    }
    if (!start && !later && !open) buf_fmt(out, "GIL: off from start to end in all free-threaded runs\n");
    if (start) buf_fmt(out, "GIL: ON from the start in %u free-threaded runs (PYTHON_GIL or -X gil)\n", start);
    if (later) {
        buf_fmt(out, "GIL: CAME BACK in %u of %u free-threaded runs", later, free->runs.n);
        for (u32 i = 0; i < b->enabled_by.n; i++) {
            buf_c(out, i ? ", " : "; turned on by the import of ");
            safe_put(out, b->enabled_by.v[i]);
        }
        buf_char(out, '\n');
    }
    if (open)
        buf_fmt(out, "GIL: not known at the end of %u free-threaded runs, which ran no exit handlers\n", open);
}

static void text_put(Buf *out, const Bench *b)
{
    if (b->o->verbosity >= 0) table_put(out, b);
    summary_put(out, b);
    endings_put(out, b);
    output_put(out, b);
    gil_put(out, b);
    if (b->o->verbosity >= 0 && !str_eq(b->sides[0].version, b->sides[1].version))
        buf_c(out, "note: the versions differ, and part of the speed-up may be theirs; --gil with the free-threaded "
                   "Python runs that one with its GIL on\n");
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static json_t *gil_json(u8 state)
{
    return state == BENCH_GIL_UNKNOWN ? json_null() : json_boolean(state == BENCH_GIL_ON);
}

static json_t *run_json(const BenchRun *r)
{
    bool ended = !r->timed_out && !r->signal;
    json_t *o = json_object();
    json_put(o, "wall", json_real(r->wall));
    json_put(o, "user", json_real(r->user));
    json_put(o, "system", json_real(r->system));
    json_put(o, "peak", json_integer((json_int_t)r->peak));
    json_put(o, "exit_status", ended ? json_integer(r->status) : json_null());
    json_put(o, "signal", r->timed_out || !r->signal ? json_null() : json_integer(r->signal));
    json_put(o, "timed_out", json_boolean(r->timed_out));
    json_put(o, "output_bytes", json_integer((json_int_t)r->output_bytes));
    json_put(o, "output", json_integer(r->output));
    json_put(o, "gil_at_start", gil_json(r->gil_start));
    json_put(o, "gil_at_end", gil_json(r->gil_end));
    json_put(o, "error", r->error.n ? json_str(r->error) : json_null());
    return o;
}

static json_t *side_json(const BenchSide *side)
{
    json_t *o = json_object(), *median = json_object(), *runs = json_array();
    json_put(o, "python", json_str(str_from(side->python)));
    json_put(o, "version", json_str(side->version));
    json_put(o, "free_threaded_build", json_boolean(side->free_threaded));
    for (u32 m = 0; m < BENCH_MEASURES; m++)
        json_put(median, measure_key[m], json_real(bench_spread(side, (BenchMeasure)m).median));
    for (u32 i = 0; i < side->runs.n; i++) json_array_append_new(runs, run_json(&side->runs.v[i]));
    json_put(o, "median", median);
    json_put(o, "runs", runs);
    return o;
}

static void json_put_all(Buf *out, const Bench *b)
{
    json_t *o = json_object(), *args = json_array(), *by = json_array();
    Difference d;
    for (u32 i = 1; i < b->o->args.n; i++) json_array_append_new(args, json_str(b->o->args.v[i]));
    for (u32 i = 0; i < b->enabled_by.n; i++) json_array_append_new(by, json_str(b->enabled_by.v[i]));
    json_put(o, "version", json_integer(1));
    json_put(o, "tool", json_pack("{s:s, s:s}", "name", "ungil", "version", UNGIL_VERSION));
    json_put(o, "script", json_str(b->o->args.v[0]));
    json_put(o, "arguments", args);
    json_put(o, "gil", side_json(&b->sides[BENCH_GIL_SIDE]));
    json_put(o, "free_threaded", side_json(&b->sides[BENCH_FREE_SIDE]));
    json_put(o, "speed_up", json_real(speed_up(b)));
    json_put(o, "same_exit", json_boolean(b->same_ending));
    json_put(o, "output", json_string(output_word[b->output]));
    json_put(o, "gil_returned", json_boolean(b->gil_on));
    json_put(o, "gil_enabled_by", by);
    if (difference_find(b, &d)) {
        json_t *where = json_object();
        json_put(where, "line", json_integer(d.line));
        json_put(where, "gil", json_str(d.gil));
        json_put(where, "free_threaded", json_str(d.free));
        json_put(o, "first_difference", where);
    } else {
        json_put(o, "first_difference", json_null());
    }
    json_text(out, o, JSON_INDENT(2));
}

void bench_write(Buf *out, const Bench *b)
{
    if (b->o->format == FMT_JSON)
        json_put_all(out, b);
    else
        text_put(out, b);
}
