/* The two-state fold of connection events; the reference is metrics/timeline.py. */
#include "fold.h"

static const i64 MINUTE_US = 60000000, FLAP_US = 10000000, FAILED_WINDOW_US = 300000000;

void timeline_init(Timeline *t) {
    t->state = ABSENT;
    t->first_established = t->longest = t->absent_since = NO_TIME;
}

static void push_time(Times *v, size_t *from, i64 at) {
    if (*from > 64 && *from * 2 > v->n) { /* what has left the window is dropped now and then */
        memmove(v->p, v->p + *from, (v->n - *from) * sizeof *v->p);
        v->n -= *from;
        *from = 0;
    }
    VEC_PUSH(*v, at);
}

int timeline_fail_pending(Timeline *t, i64 at) {
    if (!t->pending) return 0;
    t->pending = 0;
    push_time(&t->failures, &t->failures_from, at);
    return 1;
}

void timeline_attempt(Timeline *t, i64 at) {
    timeline_fail_pending(t, at);
    t->pending = 1;
    if (t->has_open) t->open.attempts++;
}

void timeline_expire(Timeline *t, i64 now) {
    while (t->recent_from < t->recent.n && t->recent.p[t->recent_from] <= now - MINUTE_US) t->recent_from++;
    while (t->failures_from < t->failures.n && t->failures.p[t->failures_from] <= now - FAILED_WINDOW_US) t->failures_from++;
}

static void observe_again(Timeline *t, i64 at) {
    if (t->absent_since == NO_TIME) return;
    i64 end = at > t->absent_since ? at : t->absent_since;
    VEC_PUSH(t->absences, ((Span){t->absent_since, end}));
    t->absent_us += end - t->absent_since;
    t->absent_since = NO_TIME;
}

static i64 end_outage(Timeline *t, i64 at, Place place) {
    Outage o = t->open;
    t->has_open = 0;
    o.end = at > o.start ? at : o.start; /* a clock that stepped back must not make time negative */
    o.back = place;
    i64 took = o.end - o.start;
    VEC_PUSH(t->outages, o);
    t->outage_us += took;
    if (t->longest == NO_TIME || took > t->longest) t->longest = took;
    push_time(&t->recent, &t->recent_from, o.end);
    timeline_expire(t, o.end);
    i64 many = (i64)(t->recent.n - t->recent_from);
    if (many > t->most_per_minute) t->most_per_minute = many;
    return took;
}

i64 timeline_established(Timeline *t, i64 at, Place place) {
    t->pending = 0;
    if (t->state == UP) return NO_TIME;
    if (t->first_established == NO_TIME) t->first_established = at;
    observe_again(t, at);
    t->state = UP;
    t->session_start = at;
    return t->has_open ? end_outage(t, at, place) : NO_TIME;
}

void timeline_lost(Timeline *t, i64 at, u32 cause, const i64 *code, Place place) {
    if (t->state != UP) return;
    t->state = DOWN;
    if (at - t->session_start <= FLAP_US) VEC_PUSH(t->flaps, ((Span){t->session_start, at}));
    t->has_open = 1;
    t->open = (Outage){.start = at, .end = NO_TIME, .cause = cause, .code = code ? *code : 0, .has_code = code != NULL, .lost = place};
}

void timeline_closed(Timeline *t, i64 at) {
    if (t->has_open) return; /* stopped while DOWN: nobody will see the outage end */
    if (t->state == UP) t->state = ABSENT, t->absent_since = at;
}

void timeline_process_started(Timeline *t, i64 at, i64 last_record, u32 crash, Place place) {
    timeline_fail_pending(t, at);
    observe_again(t, at);
    if (t->state == UP) {
        t->restarts++;
        timeline_lost(t, last_record < at ? last_record : at, crash, NULL, place);
    }
}

void timeline_free(Timeline *t) {
    VEC_FREE(t->outages), VEC_FREE(t->flaps), VEC_FREE(t->absences), VEC_FREE(t->recent), VEC_FREE(t->failures);
}

void timeline_wire(Wire *w, Timeline *t) {
    WIRE(w, t->state), WIRE(w, t->has_open), WIRE(w, t->pending), WIRE(w, t->open);
    WIRE_VEC(w, t->outages);
    WIRE_VEC(w, t->flaps);
    WIRE_VEC(w, t->absences);
    WIRE_VEC(w, t->recent);
    WIRE_VEC(w, t->failures);
    WIRE(w, t->recent_from), WIRE(w, t->failures_from), WIRE(w, t->first_established), WIRE(w, t->longest);
    WIRE(w, t->restarts), WIRE(w, t->gave_up), WIRE(w, t->most_per_minute), WIRE(w, t->absent_us);
    WIRE(w, t->absent_since), WIRE(w, t->session_start), WIRE(w, t->outage_us);
    if (w->reading && (t->recent_from > t->recent.n || t->failures_from > t->failures.n)) w->bad = 1;
}
