/* The parts of a worker's fold, as worker.c uses them. */
#ifndef RECON_FOLD_H
#define RECON_FOLD_H
#include "worker.h"

void timeline_init(Timeline *t);
void timeline_attempt(Timeline *t, i64 at);
int timeline_fail_pending(Timeline *t, i64 at);                   /* whether a try was pending, which has now failed */
i64 timeline_established(Timeline *t, i64 at, Place place);       /* length of the outage this ends, or NO_TIME */
void timeline_lost(Timeline *t, i64 at, u32 cause, const i64 *code, Place place); /* code NULL: none */
void timeline_closed(Timeline *t, i64 at);
void timeline_process_started(Timeline *t, i64 at, i64 last_record, u32 crash, Place place);
void timeline_expire(Timeline *t, i64 now);
void timeline_free(Timeline *t);
void timeline_wire(Wire *w, Timeline *t);

/* Keep (length, start) if it is among the `most` longest. */
void keep_longest(Spans *heap, size_t most, Span silence);
void gaps_init(Gaps *g);
void gaps_configure(Gaps *g, i64 interval);
void gaps_far(Gaps *g, i64 at); /* a record that does not follow soon */
static inline void gaps_record(Gaps *g, i64 at) {
    if (LIKELY((u64)at - (u64)g->last < (u64)g->enough)) g->last = at; /* of what is no time the distance is huge */
    else gaps_far(g, at);
}
void gaps_periodic(Gaps *g, int kind, i64 at);
void gaps_free(Gaps *g);
void gaps_wire(Wire *w, Gaps *g);

void activity_init(Activity *a);
void activity_turn(Activity *a, i64 at); /* to the bucket of `at` */
static inline void activity_add(Activity *a, i64 at, int column, double amount) {
    if (UNLIKELY((u64)at - (u64)a->from >= a->span)) activity_turn(a, at);
    a->row[column] += amount;
}
void activity_free(Activity *a);
void activity_wire(Wire *w, Activity *a);

void running_put(RunningTasks *r, Str key, i64 at);
i64 running_pop(RunningTasks *r, Str key); /* NO_TIME when it was not running */
void running_drop(RunningTasks *r, i64 first); /* forget what stands at `first` or before */
void running_free(RunningTasks *r);
void running_wire(Wire *w, RunningTasks *r);

void watch_init(Watch *x);
/* Before the fold sees `rec`. A silence ends long after the next point of the grid, so it is asked about only there. */
void watch_catch_up(Shared *s, Worker *w, const Rec *rec);
static inline void watch_before(Shared *s, Worker *w, const Rec *rec) {
    Watch *x = &w->watch;
    int quiet = rec->at_us > x->now && rec->at_us < x->next && !x->touched && x->now < x->wake;
    if (UNLIKELY(!quiet || x->now == NO_TIME)) watch_catch_up(s, w, rec);
    else if (rec->kind != K_NONE) x->now = rec->at_us;
}
/* What claims stand in for. */
static inline i64 standing_of(const Worker *w) { return (w->debug != 0) | (w->marked > 0) << 1 | w->has_claim << 2; }
void watch_touch(Shared *s, Worker *w, int metrics); /* an event may have moved these metrics */
void watch_after(Shared *s, Worker *w, const Rec *rec);
void watch_finish(Shared *s, Worker *w);
void watch_free(Watch *x);
void watch_wire(Wire *wire, Watch *x);
/* What a rule compares, 0 when there is nothing to count or nothing to see it by. */
int worker_shown(const Worker *w, int metric, double *value);
#endif
