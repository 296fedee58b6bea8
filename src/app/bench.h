/* `ungil bench`: what its two files share. bench.c measures, bench_out.c tells. */
#ifndef UNGIL_APP_BENCH_H
#define UNGIL_APP_BENCH_H

#include "app/app.h"

/* Bytes of a run's output that are kept and compared; further ones are only counted. */
enum { BENCH_KEEP = 4 << 20 };

typedef enum BenchGil { BENCH_GIL_UNKNOWN, BENCH_GIL_OFF, BENCH_GIL_ON } BenchGil;

typedef struct BenchRun {
    double wall, user, system; /* seconds */
    u64 peak, output_bytes;
    int status, signal; /* as in ProcessEnd */
    bool timed_out;
    u32 ending, output; /* ids in Bench.endings, Bench.outputs */
    u8 gil_start, gil_end; /* BenchGil */
    Str error; /* the last line on standard error, of a run that did not end with status 0 */
} BenchRun;

/* One of the two interpreters. */
typedef struct BenchSide {
    const char *python; /* as it calls itself, absolute */
    Str version;        /* "3.13.1" */
    bool free_threaded; /* the build can do without the GIL */
    Vec(BenchRun) runs;
} BenchSide;

enum { BENCH_SIDES = 2 };
typedef enum BenchWho { BENCH_GIL_SIDE, BENCH_FREE_SIDE } BenchWho;

/* Whether the free-threaded runs write what the others write. VARIES: with the GIL, too, it differs from run to run;
 * ONE_RUN: nobody knows whether it would. */
typedef enum BenchOutput { BENCH_SAME, BENCH_DIFFERS, BENCH_VARIES, BENCH_ONE_RUN } BenchOutput;

typedef struct Bench {
    Arena *a;
    const Options *o;
    BenchSide sides[BENCH_SIDES];
    Intern endings, outputs;
    StrVec enabled_by; /* extension modules that turned the GIL on, as the interpreter's warning names them */
    bool same_ending, gil_on; /* gil_on: in a free-threaded run, at its start or its end */
    BenchOutput output;
    u32 differing; /* free-threaded runs whose output no run with the GIL has */
} Bench;

/* Least, middle and largest value of a measure over the runs of a side. */
typedef struct Spread {
    double median, least, most;
} Spread;
typedef enum BenchMeasure { BENCH_WALL, BENCH_USER, BENCH_SYSTEM, BENCH_PEAK, BENCH_MEASURES } BenchMeasure;
Spread bench_spread(const BenchSide *side, BenchMeasure measure);

/* Appends the result, in the format of the options. */
void bench_write(Buf *out, const Bench *b);

#endif
