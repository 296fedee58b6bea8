/* Counts for Prometheus, in its text format 0.0.4. Counters start at zero with the process, as that format wants;
 * gauges are read off the queue. Nothing about a single repository is in there. */
#include "serve/serve.h"

static const double bounds[BUCKETS] = {0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900};

const char *const ended_name[ENDED_COUNT] = {
    [ENDED_DONE] = "done",
    [ENDED_FETCH_REFUSED] = "fetch-refused",
    [ENDED_FETCH_FAILED] = "fetch-failed",
    [ENDED_STALE] = "stale",
    [ENDED_FAILED] = "failed",
    [ENDED_CRASHED] = "crashed",
    [ENDED_TIMEOUT] = "timeout",
    [ENDED_PUT_BACK] = "put-back",
};

void metrics_job(Metrics *m, Ended e, double seconds)
{
    u32 i = 0;
    while (i < BUCKETS && seconds > bounds[i]) i++;
    m->jobs[e]++;
    m->seconds[i]++;
    m->seconds_sum += seconds;
}

static void head(Buf *out, const char *name, const char *type, const char *help)
{
    buf_fmt(out, "# HELP ungil_serve_%s %s\n# TYPE ungil_serve_%s %s\n", name, help, name, type);
}

static void single(Buf *out, const char *name, const char *type, const char *help, double value)
{
    head(out, name, type, help);
    buf_fmt(out, "ungil_serve_%s %.15g\n", name, value);
}

static void histogram(Buf *out, const Metrics *m)
{
    u64 sum = 0;
    head(out, "job_seconds", "histogram", "How long fetching and reviewing a pull request took.");
    for (u32 i = 0; i < BUCKETS; i++) {
        sum += m->seconds[i];
        buf_fmt(out, "ungil_serve_job_seconds_bucket{le=\"%g\"} %llu\n", bounds[i], (unsigned long long)sum);
    }
    sum += m->seconds[BUCKETS];
    buf_fmt(out, "ungil_serve_job_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)sum);
    buf_fmt(out, "ungil_serve_job_seconds_sum %.15g\n", m->seconds_sum);
    buf_fmt(out, "ungil_serve_job_seconds_count %llu\n", (unsigned long long)sum);
}

static i64 oldest_wait(const Queue *q, i64 now)
{
    i64 oldest = now;
    for (u32 i = 0; i < q->room; i++)
        if (q->jobs[i].used && !q->jobs[i].running) oldest = MIN(oldest, q->jobs[i].received);
    return now - oldest;
}

void metrics_print(Buf *out, const Server *s, i64 now)
{
    const Metrics *m = &s->metrics;
    head(out, "deliveries_total", "counter", "Webhook deliveries, by service and what became of them.");
    for (u32 k = 0; k < SERVICE_COUNT; k++)
        for (u32 t = 0; s->sites[k].web && t < TAKEN_COUNT; t++)
            buf_fmt(out, "ungil_serve_deliveries_total{service=\"%s\",result=\"%s\"} %llu\n", service_kinds[k].name,
                    taken_name[t], (unsigned long long)m->deliveries[k][t]);
    head(out, "jobs_total", "counter", "Attempts to review a pull request, by how they ended.");
    for (u32 e = 0; e < ENDED_COUNT; e++)
        buf_fmt(out, "ungil_serve_jobs_total{result=\"%s\"} %llu\n", ended_name[e], (unsigned long long)m->jobs[e]);
    histogram(out, m);
    single(out, "jobs_given_up_total", "counter", "Pull requests that were given up after the last attempt.",
           (double)m->given_up);
    single(out, "responses_total", "counter", "Answers to HTTP requests of any kind.", (double)m->requests);
    single(out, "slow_connections_total", "counter", "Connections closed because a request took too long.",
           (double)m->slow);
    single(out, "connections", "gauge", "Open HTTP connections.", http_connections(s->http));
    single(out, "queue_jobs", "gauge", "Pull requests that wait.", s->queue.n - s->running);
    single(out, "queue_limit", "gauge", "How many may wait or run.", s->queue.limit);
    single(out, "queue_oldest_seconds", "gauge", "How long the oldest one has waited.",
           (double)oldest_wait(&s->queue, now));
    single(out, "running_jobs", "gauge", "Reviews that are running.", s->running);
    single(out, "start_time_seconds", "gauge", "When the server was started.", (double)m->started);
    single(out, "memory_bytes", "gauge", "The largest resident memory of the server so far.",
           (double)os_peak_memory());
    head(out, "build_info", "gauge", "The version, as a label.");
    buf_fmt(out, "ungil_serve_build_info{version=\"%s\"} 1\n", UNGIL_VERSION);
}
