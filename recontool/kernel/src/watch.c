/* The documented threshold rules, evaluated at every event and every 15 s; the reference is analysis/watch.py. */
#include "fold.h"

static const i64 GRID_US = 15000000;

void watch_init(Watch *w) { w->next = NO_TIME; }

static int windowed(const Rule *rule) { return rule->metric == W_PER_MINUTE || rule->metric == W_FAILED; }

static void step(Shared *s, Worker *w, size_t i, i64 at) {
    const Rule *rule = &s->rules.p[i];
    RuleState *state = &w->watch.rule[i];
    double value = 0;
    int known = 1;
    if (windowed(rule)) {
        Timeline *t = &w->timeline;
        timeline_expire(t, at);
        value = (double)(rule->metric == W_PER_MINUTE ? t->recent.n - t->recent_from : t->failures.n - t->failures_from);
    } else {
        known = worker_ratio(w, (int)rule->metric, &value);
    }
    if (known && (rule->above ? value > rule->threshold : value < rule->threshold)) {
        if (!state->firing) {
            state->firing = 1, state->since = at, state->peak = value;
            w->watch.windowed_firing += windowed(rule);
        }
        if (rule->above ? value > state->peak : value < state->peak) state->peak = value;
    } else if (state->firing) {
        state->firing = 0;
        w->watch.windowed_firing -= windowed(rule);
        VEC_PUSH(state->done, ((Firing){state->since, at, state->peak}));
    }
}

void watch_before(Shared *s, Worker *w, i64 at) {
    if (UNLIKELY(w->watch.next == NO_TIME)) w->watch.next = at + GRID_US;
    while (UNLIKELY(w->watch.next <= at)) {
        /* Nothing changes with time alone unless a windowed rule fires: skip to the last grid point. */
        if (!w->watch.windowed_firing) w->watch.next += (at - w->watch.next) / GRID_US * GRID_US;
        for (size_t i = 0; i < s->rules.n; i++)
            if (windowed(&s->rules.p[i])) step(s, w, i, w->watch.next);
        w->watch.next += GRID_US;
    }
}

void watch_after(Shared *s, Worker *w, i64 at, u8 moves) {
    if (LIKELY(!moves && !w->watch.windowed_firing)) return;
    for (size_t i = 0; i < s->rules.n; i++)
        if (moves >> s->rules.p[i].metric & 1) step(s, w, i, at);
    if (!w->watch.windowed_firing) return;
    for (size_t i = 0; i < s->rules.n; i++)
        if (windowed(&s->rules.p[i]) && w->watch.rule[i].firing) step(s, w, i, at);
}

void watch_free(Watch *w) {
    for (int i = 0; i < MOST_RULES; i++) VEC_FREE(w->rule[i].done);
}

void watch_wire(Wire *wire, Watch *w) {
    WIRE(wire, w->next), WIRE(wire, w->windowed_firing);
    for (int i = 0; i < MOST_RULES; i++) {
        WIRE(wire, w->rule[i].firing), WIRE(wire, w->rule[i].since), WIRE(wire, w->rule[i].peak);
        WIRE_VEC(wire, w->rule[i].done);
    }
}
