/* Thins the metrics of threshold rules to the samples that decide them; the reference is analysis/watch.py. */
#include <math.h>

#include "fold.h"

static const i64 GRID_US = 15000000, NEVER = INT64_MAX;
static const i64 SILENCE_US = 300000000; /* after it nothing is known */
static const i64 RATE_WINDOW_US = 60000000, FAILED_WINDOW_US = 300000000;
enum { EVERYTHING = (1 << W_METRICS) - 1 };

void watch_init(Watch *x) { x->now = NO_TIME; }

static int windowed(i64 metric) { return metric == W_PER_MINUTE || metric == W_FAILED; }

static void begin(Shared *s, Watch *x, i64 at) {
    x->now = at, x->next = at + GRID_US, x->wake = NEVER;
    for (size_t i = 0; i < s->rules.n; i++)
        VEC_PUSH(x->rules, ((Thinned){.mark = NEVER, .best_at = NO_TIME, .value = NAN}));
}

/* Whether time alone may change something: what a window counts becomes fewer. */
static int drifts(const Rule *rule, const Thinned *t) { return windowed(rule->metric) && (rule->above ? t->holds : t->value > 0); }

static void keep_best(Thinned *t) {
    if (t->best_at != NO_TIME) VEC_PUSH(t->samples, ((Sample){t->best_at, t->best}));
    t->best_at = NO_TIME;
}

static int over(const Rule *rule, double value) {
    return rule->above ? value > rule->threshold : value < rule->threshold; /* NaN, which is unknown, never is */
}

static int better(const Rule *rule, const Thinned *t, double value) { return rule->above ? value > t->best : value < t->best; }

static void see(const Rule *rule, Thinned *t, i64 at, double value) {
    i64 holds = over(rule, value);
    int turns = holds != t->holds;
    if (holds && (turns || better(rule, t, value))) t->best = value, t->best_at = at;
    if (turns || at >= t->mark) {
        if (t->best_at != NO_TIME && t->best_at < at) keep_best(t);
        t->best_at = NO_TIME;
        VEC_PUSH(t->samples, ((Sample){at, value}));
        t->mark = NEVER;
    }
    if (turns) {
        i64 length = holds ? rule->for_us : rule->keep_us;
        t->holds = holds;
        t->mark = length ? at + length : NEVER;
    }
}

static double in_window(Worker *w, const Rule *rule, i64 at) {
    Timeline *t = &w->timeline;
    timeline_expire(t, at);
    return (double)(rule->metric == W_PER_MINUTE ? t->recent.n - t->recent_from : t->failures.n - t->failures_from);
}

/* When the oldest of what a window counts leaves it. */
static i64 leaves(const Worker *w, const Rule *rule) {
    const Timeline *t = &w->timeline;
    if (rule->metric == W_PER_MINUTE) return t->recent_from < t->recent.n ? t->recent.p[t->recent_from] + RATE_WINDOW_US : NEVER;
    return t->failures_from < t->failures.n ? t->failures.p[t->failures_from] + FAILED_WINDOW_US : NEVER;
}

/* Sets `wake`: when time alone may change something. */
static void look(Shared *s, Worker *w, i64 at, int known) {
    i64 wake = NEVER;
    for (size_t i = 0; i < s->rules.n; i++) {
        const Rule *rule = &s->rules.p[i];
        Thinned *t = &w->watch.rules.p[i];
        if (t->touched || drifts(rule, t) || t->mark <= at || (t->holds && !known)) {
            if (windowed(rule->metric)) t->value = in_window(w, rule, at);
            see(rule, t, at, known ? t->value : NAN);
            t->touched = 0;
        }
        i64 next = drifts(rule, t) ? leaves(w, rule) : NEVER;
        if (next < wake) wake = next;
        if (t->mark < wake) wake = t->mark;
    }
    w->watch.touched = 0, w->watch.wake = wake;
}

/* Most events change no rule's outcome and make no new extreme: they need no look. */
void watch_touch(Shared *s, Worker *w, int metrics) {
    for (u32 left = (u32)metrics; left; left &= left - 1) {
        int metric = __builtin_ctz(left);
        i64 i = s->rule_of[metric];
        double value;
        if (i < 0 || windowed(metric) || !worker_shown(w, metric, &value)) value = NAN;
        for (; i >= 0; i = s->rules.p[i].more) {
            const Rule *rule = &s->rules.p[i];
            Thinned *t = &w->watch.rules.p[i];
            if (!windowed(metric)) {
                t->value = value;
                if (over(rule, value) == t->holds && !(t->holds && better(rule, t, value))) continue;
            }
            t->touched = w->watch.touched = 1;
        }
    }
}

/* The grid before `end`, as far as time alone can change anything there. */
static void pass_grid(Shared *s, Worker *w, i64 end, int silent) {
    Watch *x = &w->watch;
    i64 fades = silent ? w->last + SILENCE_US : NEVER; /* when nothing is known any more */
    for (;;) {
        i64 wake = x->wake < fades ? x->wake : fades;
        if (wake >= end || x->next >= end) break;
        if (x->next < wake) {
            x->next += (wake - x->next + GRID_US - 1) / GRID_US * GRID_US;
            continue;
        }
        if (x->next >= fades) fades = NEVER;
        look(s, w, x->next, x->open && x->next - w->last < SILENCE_US);
        x->next += GRID_US;
    }
    if (x->next <= end) x->next += ((end - x->next) / GRID_US + 1) * GRID_US; /* `end` is looked at itself */
}

void watch_catch_up(Shared *s, Worker *w, const Rec *rec) {
    Watch *x = &w->watch;
    i64 at = rec->at_us;
    int silent = w->started && at - w->last > SILENCE_US;
    if (UNLIKELY(x->now == NO_TIME)) begin(s, x, at);
    if (at <= x->now || (rec->kind == K_NONE && !silent)) return;
    if (x->touched || x->now >= x->wake) look(s, w, x->now, x->open);
    if (UNLIKELY(x->next <= at)) pass_grid(s, w, at, silent);
    x->now = at;
    if (UNLIKELY(silent) && x->open) watch_touch(s, w, EVERYTHING);
}

static int returns(int kind) {
    return kind == K_CONFIG || kind == K_PROCESS_STARTED || kind == K_ATTEMPT || kind == K_ESTABLISHED;
}

void watch_after(Shared *s, Worker *w, const Rec *rec) {
    Watch *x = &w->watch;
    if (rec->kind == K_NONE) return;
    i64 standing = standing_of(w);
    x->closed = rec->kind == K_CLOSED || (x->closed && !returns(rec->kind));
    if (UNLIKELY(x->open == x->closed)) {
        x->open = !x->closed;
        watch_touch(s, w, EVERYTHING);
    } else if (UNLIKELY(standing != x->standing)) {
        watch_touch(s, w, EVERYTHING);
    } else if (rec->moves) {
        watch_touch(s, w, rec->moves);
    }
    x->standing = standing;
}

void watch_finish(Shared *s, Worker *w) {
    Watch *x = &w->watch;
    if (x->now == NO_TIME) return;
    look(s, w, x->now, x->open);
    pass_grid(s, w, w->last + 1, 0);
    for (size_t i = 0; i < x->rules.n; i++) keep_best(&x->rules.p[i]);
}

void watch_free(Watch *x) {
    for (size_t i = 0; i < x->rules.n; i++) VEC_FREE(x->rules.p[i].samples);
    VEC_FREE(x->rules);
}

void watch_wire(Wire *wire, Watch *x) {
    WIRE(wire, x->now), WIRE(wire, x->next), WIRE(wire, x->open), WIRE(wire, x->closed), WIRE(wire, x->standing);
    WIRE(wire, x->touched), WIRE(wire, x->wake);
    WIRE_COUNT(wire, x->rules, sizeof(Thinned) - sizeof x->rules.p->samples);
    for (size_t i = 0; i < x->rules.n; i++) {
        Thinned *t = &x->rules.p[i];
        if (wire->reading) memset(t, 0, sizeof *t);
        WIRE(wire, t->holds), WIRE(wire, t->touched), WIRE(wire, t->mark), WIRE(wire, t->best_at);
        WIRE(wire, t->best), WIRE(wire, t->value);
        WIRE_VEC(wire, t->samples);
    }
}
