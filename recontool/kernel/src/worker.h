/* One worker's events folded in log order: the compiled twin of metrics/fold.py and what it is made of. */
#ifndef RECON_WORKER_H
#define RECON_WORKER_H
#include "core.h"
#include "index.h"
#include "parse.h"

/* Additive counts, in the order of metrics/totals.py. */
enum Total {
    T_ATTEMPTS, T_ESTABLISHED, T_RECONNECTIONS, T_RECONNECT_US, T_SENT, T_SIZED, T_SENT_BYTES, T_RECEIVED, T_ACKED,
    T_LATENCY_NS, T_ERRORS, T_EXECUTED, T_COMPLETED, T_FAILED, T_TIMED_TASKS, T_TASK_NS, T_CREATED, T_RESTORED,
    T_COMPRESSED, T_RAW, T_WIRE, T_TIMED_COMPRESSED, T_COMPRESS_NS, T_TIMED_DECOMPRESSED, T_DECOMPRESS_NS, TOTALS
};
typedef struct {
    i128 t[TOTALS];
} Totals;

typedef struct {
    u32 file, pad;
    i64 line; /* 0: no place */
} Place;

typedef struct {
    i64 start, end; /* end NO_TIME: still open */
    i64 attempts, code;
    Place lost, back;
    u32 cause, has_code; /* index of the fleet's causes */
} Outage;

typedef struct {
    i64 start, end;
} Span;
typedef VEC(Span) Spans;

typedef struct {
    i64 at;
    u64 claimed;
    double value[METRICS];
    u64 untrusted;
    Place place;
    i64 exact;
} Claim;

/* The last word of one process on each metric: which claim said it, and what the events showed at that moment. */
typedef struct {
    Claim claim;
    Totals shown;
    i64 debug, used;
} Spoken;
typedef struct {
    int16_t slot_of[METRICS]; /* -1: not claimed */
    VEC(Spoken) slot;         /* those with `used` 0 are free */
} Said;

enum { NEAR = 40 }; /* the id of a task is seldom longer */
typedef struct {
    u64 hash;
    i64 at;
    u32 n, used; /* used 0: empty */
    union {
        u8 near[NEAR];
        u8 *far; /* of a longer key */
    };
} Running;

typedef struct {
    VEC(Running) slot; /* open hash table */
    size_t used;
} RunningTasks;

enum { P_BLOCK, P_STATUS, P_HEARTBEAT, PERIODICS };
enum { G_MOST = 10000, G_SAMPLED = 1000 };
typedef struct {
    i64 last, configured; /* NO_TIME: none */
    i64 enough;           /* a shorter silence is none, or not among the longest */
    Spans heap;           /* (length, start), smallest first */
    i64 periodic_last[PERIODICS];
    VEC(i64) distances[PERIODICS];
} Gaps;

enum Column {
    A_TASKS_STARTED, A_TASKS_COMPLETED, A_TASKS_FAILED, A_CREATED, A_RESTORED, A_SENT, A_RECEIVED, A_ERRORS,
    A_LATENCY_SUM, A_LATENCY_COUNT, A_RAW, A_WIRE, A_RECONNECTIONS, A_ATTEMPTS_FAILED, COLUMNS
};
enum { MOST_BUCKETS = 512, BUCKET_TABLE = 2048 };
typedef struct {
    i64 key;
    double row[COLUMNS];
} Bucket;
typedef struct {
    i64 width;
    VEC(Bucket) buckets;
    int16_t at[BUCKET_TABLE]; /* rebuilt, never saved */
    i64 from; /* the bucket added to last: what is less than `span` behind `from` belongs to it */
    u64 span; /* 0: there is none */
    double *row;
} Activity;

enum { ABSENT, UP, DOWN };
typedef VEC(i64) Times;
typedef struct {
    i64 state, has_open, pending;
    Outage open;
    VEC(Outage) outages;
    VEC(Span) flaps, absences;
    Times recent, failures; /* rings would be faster and longer; `from` skips what has left the window */
    size_t recent_from, failures_from;
    i64 first_established, longest, restarts, gave_up, most_per_minute;
    i64 absent_us, absent_since, session_start;
    i128 outage_us;
} Timeline;

enum AlertMetric { W_PER_MINUTE, W_FAILED, W_LATENCY, W_SUCCESS, W_RATIO, W_METRICS };
typedef struct {
    i64 metric, above; /* above: true over the threshold, else under it */
    double threshold;
    i64 for_us, keep_us, more; /* more: the next rule of the metric, -1: there is none */
} Rule;
typedef struct {
    i64 at;
    double value; /* NaN: unknown */
} Sample;
/* The samples that decide one rule; `mark` is when the outcome has lasted long enough to change a state. */
typedef struct {
    i64 holds, touched, mark, best_at; /* best_at: of the extreme, as long as that sample is not kept; NO_TIME else */
    double best, value;                /* value: as of the latest event */
    VEC(Sample) samples;
} Thinned;
typedef struct {
    i64 now, next; /* of the latest event, of the grid */
    i64 open, closed, standing, touched, wake; /* wake: when time alone may change something */
    VEC(Thinned) rules;
} Watch;

enum { O_COMPLETED, O_FAILED, O_CANCELLED, OUTCOMES };
typedef struct {
    Text id;
    i64 started, first, last, marked, debug, plain, start_seen, has_claim, port;
    i64 markers[MARKERS];
    Totals settled, current;
    Claim claim;
    u64 claimed; /* metrics that claims of ended processes stood in for */
    u64 untrusted;
    Times starts, stops;
    Said said;
    VEC(Said) ended;
    size_t ended_from; /* ring of the last processes */
    Text config; /* the line of the last start */
    u32 config_file, pad;
    RunningTasks running;
    Text first_error;
    Place first_error_at;
    VEC(double) sample;
    i64 stride, tasks_ended, outcomes[OUTCOMES];
    Gaps gaps;
    Activity activity;
    Timeline timeline;
    Watch watch;
} Worker;

typedef struct {
    VEC(Rule) rules;
    i64 rule_of[W_METRICS]; /* one of them by its metric, -1: there is none */
    VEC(Text) causes;
    Index cause_at; /* rebuilt, never saved */
} Shared; /* what the workers of a fleet have in common */

enum { KEPT_PROCESSES = 100, SAMPLED_TASKS = 1000 };

Worker *worker_new(Str id, u64 untrusted);
void worker_free(Worker *w);
/* One event or plain record; `rec` holds its fields where vocab.c says the kind wants them. */
void worker_feed(Shared *s, Worker *w, const Rec *rec, Place place);
/* The same for records from `rec` on, as long as they are of its source and such as most records are; `first` is the
 * place of the chunk's first line. */
typedef struct {
    i64 records, events, until; /* until: the latest time of them */
} Taken;
Taken worker_feed_many(Shared *s, Worker *w, const Rec *rec, const Rec *end, Place first);
int worker_feed_light(Shared *s, Worker *w, const Rec *rec, Place place); /* whether it was an event */
void worker_finish(Shared *s, Worker *w); /* evaluate the rules up to the last record */
void worker_totals(const Worker *w, Totals *out);
void worker_wire(Wire *wire, Worker *w);
#endif
