#include "worker.h"

#include "claims.h"
#include "fold.h"
#include "text.h"

Worker *worker_new(Str id, u64 untrusted) {
    Worker *w = need(calloc(1, sizeof *w));
    text_set(&w->id, id.p, id.n);
    w->plain = 1, w->port = NO_TIME, w->stride = 1, w->untrusted = untrusted;
    said_init(&w->said);
    timeline_init(&w->timeline);
    gaps_init(&w->gaps);
    activity_init(&w->activity);
    watch_init(&w->watch);
    return w;
}

void worker_free(Worker *w) {
    VEC_FREE(w->id), VEC_FREE(w->starts), VEC_FREE(w->stops), VEC_FREE(w->config);
    VEC_FREE(w->first_error), VEC_FREE(w->sample);
    said_free(&w->said);
    for (size_t i = 0; i < w->ended.n; i++) said_free(&w->ended.p[i]);
    VEC_FREE(w->ended);
    running_free(&w->running);
    gaps_free(&w->gaps);
    activity_free(&w->activity);
    timeline_free(&w->timeline);
    watch_free(&w->watch);
    free(w);
}

static void add(Totals *to, const Totals *from) {
    for (int i = 0; i < TOTALS; i++) to->t[i] += from->t[i];
}

/* Counts of the running process, trusted claims standing in where its log shows no events. */
static void resolved(const Worker *w, Totals *out) {
    double size;
    *out = w->current;
    if (!w->has_claim) return;
    if (w->debug) {
        if (claim_size(w, &size)) {
            out->t[T_SIZED] = out->t[T_SENT];
            out->t[T_SENT_BYTES] = round_even(size * (double)out->t[T_SENT]);
        }
    } else if (w->marked) {
        claim_messages(&w->claim, out);
    } else {
        claim_all(&w->claim, out);
    }
}

void worker_totals(const Worker *w, Totals *out) {
    resolved(w, out);
    add(out, &w->settled);
}

/* Whether the log shows events or a claim of the metric; as `source` in metrics/fold.py. */
static int visible(const Worker *w, int metric) {
    static const u8 CLAIMED[] = {[W_LATENCY] = C_LATENCY, [W_SUCCESS] = C_SUCCESS, [W_RATIO] = C_RATIO};
    u64 bit = 1ull << CLAIMED[metric];
    if (w->claimed & bit) return 1;
    if (w->has_claim && !w->debug && (metric == W_LATENCY || !w->marked)) return (w->claim.claimed & ~w->claim.untrusted & bit) != 0;
    return metric != W_LATENCY || w->debug;
}

int worker_shown(const Worker *w, int metric, double *value) {
    static const u8 OVER[] = {[W_LATENCY] = T_LATENCY_NS, [W_SUCCESS] = T_COMPLETED, [W_RATIO] = T_RAW};
    static const u8 UNDER[] = {[W_LATENCY] = T_ACKED, [W_SUCCESS] = T_COMPLETED, [W_RATIO] = T_WIRE};
    if (!visible(w, metric)) return 0;
    Totals claimed;
    const Totals *now = &w->current;
    /* Where a log has events, a claim stands in for message counts only. */
    if (UNLIKELY(w->has_claim && !w->debug && (metric == W_LATENCY || !w->marked))) {
        resolved(w, &claimed);
        now = &claimed;
    }
    i128 over = w->settled.t[OVER[metric]] + now->t[OVER[metric]];
    i128 under = w->settled.t[UNDER[metric]] + now->t[UNDER[metric]];
    if (metric == W_SUCCESS) under += w->settled.t[T_FAILED] + now->t[T_FAILED];
    if (under == 0) return 0;
    *value = metric == W_LATENCY ? ratio(over, under) / 1e6 : ratio(over, under);
    return 1;
}

static void begin_process(Worker *w, i64 at) {
    Totals t;
    w->claimed |= claim_stood_in(w);
    worker_totals(w, &t);
    w->settled = t;
    w->plain = 1;
    for (int i = 0; i < TOTALS; i++) w->plain &= t.t[i] == 0;
    memset(&w->current, 0, sizeof w->current);
    w->has_claim = w->debug = w->marked = 0;
    if (w->ended.n < KEPT_PROCESSES) VEC_PUSH(w->ended, w->said);
    else {
        size_t oldest = w->ended_from++ % KEPT_PROCESSES;
        said_free(&w->ended.p[oldest]);
        w->ended.p[oldest] = w->said;
    }
    said_init(&w->said);
    w->start_seen = 1;
    VEC_PUSH(w->starts, at);
}

static u32 cause_of(Shared *s, Str name) {
    u64 hash = hash_bytes(name.p, name.n), at = hash;
    for (u32 i; (i = index_next(&s->cause_at, hash, &at)) != NONE;)
        if (same(text_str(&s->causes.p[i]), name)) return i;
    Text own = {0};
    text_set(&own, name.p, name.n);
    VEC_PUSH(s->causes, own);
    index_put(&s->cause_at, hash, (u32)s->causes.n - 1);
    return (u32)(s->causes.n - 1);
}

static const Str CLOSED = {(const u8 *)"closed", 6}, CRASH = {(const u8 *)"crash", 5};

static void on_config(Shared *s, Worker *w, const Rec *rec, Place place) {
    timeline_process_started(&w->timeline, rec->at_us, w->last, cause_of(s, CRASH), place);
    begin_process(w, rec->at_us);
    text_set(&w->config, rec->raw.p, rec->raw.n);
    w->config_file = place.file;
    w->debug = (rec->flags & DEBUG_LOG) != 0;
    if (rec->flags & HAS_X) {
        static const double LONGEST_US = 4e18; /* twice it is longer than all time, and fits */
        double interval_us = rec->x * 1e6;
        interval_us = interval_us > LONGEST_US ? LONGEST_US : interval_us < -LONGEST_US ? -LONGEST_US : interval_us;
        gaps_configure(&w->gaps, (i64)round_even(interval_us));
    }
}

/* The coordinator's port, as `//host:port/` names it. */
static i64 port_of(Str url) {
    for (u32 i = 0; i + 1 < url.n; i++) {
        if (url.p[i] != '/' || url.p[i + 1] != '/') continue;
        u32 end = i + 2, colon = 0;
        while (end < url.n && url.p[end] != '/') end++;
        for (u32 k = i + 2; k < end; k++)
            if (url.p[k] == ':') colon = k; /* the last one that digits and an end follow */
        i64 port;
        Str digits = {url.p + colon + 1, colon ? end - colon - 1 : 0};
        if (colon && digits.n >= 1 && digits.n <= 5 && digits.p[0] != '-' && parse_int(digits, &port)) return port;
    }
    return NO_TIME;
}

static void on_established(Worker *w, const Rec *rec, Place place) {
    w->current.t[T_ESTABLISHED]++;
    i64 took = timeline_established(&w->timeline, rec->at_us, place);
    if (took == NO_TIME) return;
    /* What a process's first session ends, an earlier process lost: the running one cannot report it. */
    Totals *book = w->current.t[T_ESTABLISHED] == 1 ? &w->settled : &w->current;
    book->t[T_RECONNECTIONS]++;
    book->t[T_RECONNECT_US] += took;
    activity_add(&w->activity, rec->at_us, A_RECONNECTIONS, 1);
}

static void sample(Worker *w, i128 took_ns) {
    if ((w->tasks_ended & (w->stride - 1)) == 0) {
        VEC_PUSH(w->sample, double_of_i128(took_ns) / 1e6);
        if (w->sample.n > SAMPLED_TASKS) { /* every other one stays */
            size_t kept = 0;
            for (size_t i = 0; i < w->sample.n; i += 2) w->sample.p[kept++] = w->sample.p[i];
            w->sample.n = kept;
            w->stride *= 2;
        }
    }
    w->tasks_ended++;
}

static void on_task_ended(Worker *w, const Rec *rec, const Place *place, u32 behind) {
    int failed = rec->kind == K_TASK_FAILED;
    i64 started = running_pop(&w->running, rec->s1);
    if (failed && !w->first_error.n) {
        text_set(&w->first_error, rec->s2.p, rec->s2.n);
        w->first_error_at = (Place){place->file, 0, place->line + behind};
    }
    i128 took_ns = 0;
    int timed = 1;
    if (rec->flags & HAS_X) took_ns = round_even(rec->x * 1e6);
    else if (started != NO_TIME) took_ns = (i128)(rec->at_us > started ? rec->at_us - started : 0) * 1000;
    else timed = 0;
    if (timed) {
        w->current.t[T_TIMED_TASKS]++;
        w->current.t[T_TASK_NS] += took_ns;
        sample(w, took_ns);
    }
    w->current.t[failed ? T_FAILED : T_COMPLETED]++;
    w->outcomes[failed ? O_FAILED : O_COMPLETED]++;
    activity_add(&w->activity, rec->at_us, failed ? A_TASKS_FAILED : A_TASKS_COMPLETED, 1);
}

static void on_compressed(Worker *w, const Rec *rec) {
    i64 raw = rec->flags & HAS_A ? rec->a : 0, wire = rec->flags & HAS_B ? rec->b : 0;
    w->current.t[T_COMPRESSED]++;
    w->current.t[T_RAW] += raw, w->current.t[T_WIRE] += wire;
    if (rec->flags & HAS_X) w->current.t[T_TIMED_COMPRESSED]++, w->current.t[T_COMPRESS_NS] += round_even(rec->x * 1e6);
    activity_add(&w->activity, rec->at_us, A_RAW, (double)raw);
    activity_add(&w->activity, rec->at_us, A_WIRE, (double)wire);
}

static void on_sent(Worker *w, const Rec *rec) {
    w->current.t[T_SENT]++;
    if (rec->flags & HAS_A) w->current.t[T_SIZED]++, w->current.t[T_SENT_BYTES] += rec->a;
    activity_add(&w->activity, rec->at_us, A_SENT, 1);
    if (rec->flags & HEARTBEAT) gaps_periodic(&w->gaps, P_HEARTBEAT, rec->at_us);
}

static void on_acked(Worker *w, const Rec *rec) {
    if (!(rec->flags & HAS_X)) return;
    w->current.t[T_ACKED]++;
    w->current.t[T_LATENCY_NS] += round_even(rec->x * 1e6);
    activity_add(&w->activity, rec->at_us, A_LATENCY_SUM, rec->x);
    activity_add(&w->activity, rec->at_us, A_LATENCY_COUNT, 1);
}

static void on_claim(Worker *w, const Rec *rec, Place place) {
    Claim claim = {.at = rec->at_us, .claimed = rec->claimed, .exact = rec->kind == K_METRICS, .place = place};
    if (!claim.exact) gaps_periodic(&w->gaps, P_BLOCK, rec->at_us), claim.untrusted = w->untrusted;
    for (int m = 0; m < METRICS; m++)
        if (claim.claimed >> m & 1) claim.value[m] = rec->claims[m];
    if (!w->has_claim || claim.exact || !w->claim.exact || claim.at > w->claim.at) w->claim = claim, w->has_claim = 1;
    if (w->start_seen) said_add(&w->said, &claim, &w->current, w->debug);
}

/* Kinds that change neither a session, nor a process, nor what is known of them. */
#define BIT(kind) (1ull << (kind))
static const u64 COMMON = BIT(K_NONE) | BIT(K_OTHER) | BIT(K_TASK_STARTED) | BIT(K_TASK_COMPLETED) | BIT(K_TASK_FAILED) |
                          BIT(K_TASK_CANCELLED) | BIT(K_CREATED) | BIT(K_RESTORED) | BIT(K_COMPRESSED) | BIT(K_DECOMPRESSED) |
                          BIT(K_SENT) | BIT(K_RECEIVED) | BIT(K_ACKED) | BIT(K_MESSAGE_ERROR) | BIT(K_SUBMITTED) |
                          BIT(K_ASSIGNED) | BIT(K_APPLIED) | BIT(K_DUPLICATE);

/* The record stands so many lines behind `place`. */
static inline void common(Worker *w, const Rec *rec, const Place *place, u32 behind) {
    i64 at = rec->at_us;
    i128 *t = w->current.t;
    switch (rec->kind) {
    case K_TASK_STARTED:
        t[T_EXECUTED]++;
        running_put(&w->running, rec->s1, at);
        activity_add(&w->activity, at, A_TASKS_STARTED, 1);
        break;
    case K_TASK_COMPLETED:
    case K_TASK_FAILED: on_task_ended(w, rec, place, behind); break;
    case K_TASK_CANCELLED: w->outcomes[O_CANCELLED]++, running_pop(&w->running, rec->s1); break;
    case K_CREATED: t[T_CREATED]++, activity_add(&w->activity, at, A_CREATED, 1); break;
    case K_RESTORED: t[T_RESTORED]++, activity_add(&w->activity, at, A_RESTORED, 1); break;
    case K_COMPRESSED: on_compressed(w, rec); break;
    case K_DECOMPRESSED:
        if (rec->flags & HAS_X) t[T_TIMED_DECOMPRESSED]++, t[T_DECOMPRESS_NS] += round_even(rec->x * 1e6);
        break;
    case K_SENT: on_sent(w, rec); break;
    case K_RECEIVED: t[T_RECEIVED]++, activity_add(&w->activity, at, A_RECEIVED, 1); break;
    case K_ACKED: on_acked(w, rec); break;
    case K_MESSAGE_ERROR: t[T_ERRORS]++, activity_add(&w->activity, at, A_ERRORS, 1); break;
    default: break;
    }
}

static void handle(Shared *s, Worker *w, const Rec *rec, Place place) {
    i64 at = rec->at_us;
    i128 *t = w->current.t;
    switch (rec->kind) {
    case K_ATTEMPT:
        if (w->port == NO_TIME) w->port = port_of(rec->s1);
        t[T_ATTEMPTS]++;
        timeline_attempt(&w->timeline, at);
        break;
    case K_ATTEMPT_FAILED:
        if (timeline_fail_pending(&w->timeline, at)) activity_add(&w->activity, at, A_ATTEMPTS_FAILED, 1);
        break;
    case K_ESTABLISHED: on_established(w, rec, place); break;
    case K_CLOSED: timeline_closed(&w->timeline, at); break;
    case K_LOST:
        timeline_lost(&w->timeline, at, cause_of(s, rec->flags & HAS_TEXT ? rec->s1 : CLOSED), rec->flags & HAS_A ? &rec->a : NULL, place);
        break;
    case K_GAVE_UP: w->timeline.gave_up++; break;
    case K_CONFIG: on_config(s, w, rec, place); break;
    case K_PROCESS_STARTED: begin_process(w, at); break;
    case K_PROCESS_STOPPING: VEC_PUSH(w->stops, at); break;
    case K_METRICS:
    case K_BLOCK: on_claim(w, rec, place); break;
    case K_STATUS: gaps_periodic(&w->gaps, P_STATUS, at); break;
    default: common(w, rec, &place, 0);
    }
}

void worker_feed(Shared *s, Worker *w, const Rec *rec, Place place) {
    i64 at = rec->at_us;
    watch_before(s, w, rec);
    if (UNLIKELY(!w->started)) w->started = 1, w->first = w->last = at;
    if (rec->marker) w->marked++, w->markers[rec->marker]++;
    else if (rec->level == L_DEBUG) w->debug = 1;
    handle(s, w, rec, place);
    gaps_record(&w->gaps, at);
    if (UNLIKELY(rec->kind == K_CLOSED)) w->gaps.last = NO_TIME; /* the silence after an orderly end is no gap */
    if (at > w->last) w->last = at;
    watch_after(s, w, rec);
}

/* Before it a record that is later than the last event changes nothing that is watched; NO_TIME: each must be looked at.
   What is before a wake that is past is not later than the last event. */
static i64 calm_until(const Watch *x) {
    if (x->touched) return NO_TIME;
    return x->next < x->wake ? x->next : x->wake;
}

Taken worker_feed_many(Shared *s, Worker *w, const Rec *rec, const Rec *end, Place first) {
    Watch *x = &w->watch;
    Taken taken = {.until = NO_TIME};
    /* With this, and kinds that leave it so, watch_after() has nothing to do but to see what moves. */
    int steady = w->started && x->now != NO_TIME && x->open && !x->closed && x->standing == standing_of(w);
    u32 usual = (w->marked ? ~(1u << M_SECURITY | 1u << M_NONE) : 0) | (u32)(w->debug != 0) << M_NONE;
    u32 markers[MARKERS] = {0};
    const Rec *from = rec;
    i64 calm = calm_until(x);
    for (u32 who = rec->who; steady && rec < end && rec->who == who && rec->shape == R_RECORD; rec++) {
        i64 at = rec->at_us;
        int named = rec->kind != K_NONE;
        if (UNLIKELY(!(COMMON >> rec->kind & 1))) break;
        if (UNLIKELY(!(usual >> rec->marker & 1)) && (rec->marker || rec->level == L_DEBUG)) break;
        if (LIKELY(at > x->now && at < calm)) {
            x->now = named ? at : x->now;
        } else {
            if (taken.until > w->last) w->last = taken.until;
            watch_before(s, w, rec);
            calm = calm_until(x);
        }
        markers[rec->marker]++;
        common(w, rec, &first, rec->line);
        gaps_record(&w->gaps, at);
        if (at > taken.until) taken.until = at;
        if (rec->moves) {
            watch_touch(s, w, rec->moves);
            if (UNLIKELY(x->touched)) calm = NO_TIME;
        }
        taken.events += named;
    }
    taken.records = rec - from;
    if (taken.until > w->last) w->last = taken.until;
    for (int m = M_NONE + 1; m < MARKERS; m++) w->markers[m] += markers[m], w->marked += markers[m];
    return taken;
}

/* What a summary needs of an event, and of those that are counted with it. */
int worker_feed_light(Shared *s, Worker *w, const Rec *rec, Place place) {
    Timeline *t = &w->timeline;
    u32 tallied = 0;
    if (UNLIKELY(!w->started)) w->started = 1, w->first = w->last = rec->at_us;
    w->markers[rec->marker] += rec->marker != M_NONE;
    switch (rec->kind) {
    case K_ESTABLISHED: timeline_established(t, rec->at_us, place); break;
    case K_LOST: timeline_lost(t, rec->at_us, cause_of(s, CLOSED), NULL, place); break;
    case K_CLOSED: timeline_closed(t, rec->at_us); break;
    case K_CONFIG: timeline_process_started(t, rec->at_us, w->last, cause_of(s, CRASH), place); break;
    case K_TASK_COMPLETED: w->outcomes[O_COMPLETED]++; break;
    case K_TASK_FAILED: w->outcomes[O_FAILED]++; break;
    case K_TASK_CANCELLED: w->outcomes[O_CANCELLED]++; break;
    default: break;
    }
    for (int m = 1; m < MARKERS; m++) w->markers[m] += rec->tally[m], tallied += rec->tally[m];
    for (int o = 0; o < OUTCOMES; o++) w->outcomes[o] += rec->tally[TALLY_TASKS + o];
    if (rec->until > w->last) w->last = rec->until;
    return rec->kind != K_NONE || tallied;
}

void worker_finish(Shared *s, Worker *w) { watch_finish(s, w); }

void worker_wire(Wire *wire, Worker *w) {
    WIRE_VEC(wire, w->id);
    WIRE(wire, w->started), WIRE(wire, w->first), WIRE(wire, w->last), WIRE(wire, w->marked), WIRE(wire, w->debug);
    WIRE(wire, w->plain), WIRE(wire, w->start_seen), WIRE(wire, w->has_claim), WIRE(wire, w->port);
    WIRE(wire, w->markers), WIRE(wire, w->settled), WIRE(wire, w->current), WIRE(wire, w->claim);
    WIRE(wire, w->claimed), WIRE(wire, w->untrusted);
    WIRE_VEC(wire, w->starts);
    WIRE_VEC(wire, w->stops);
    said_wire(wire, &w->said);
    WIRE_COUNT(wire, w->ended, sizeof(int16_t) * METRICS);
    for (size_t i = 0; i < w->ended.n; i++) {
        if (wire->reading) said_init(&w->ended.p[i]);
        said_wire(wire, &w->ended.p[i]);
    }
    WIRE(wire, w->ended_from);
    WIRE_VEC(wire, w->config);
    WIRE(wire, w->config_file);
    running_wire(wire, &w->running);
    WIRE_VEC(wire, w->first_error);
    WIRE(wire, w->first_error_at);
    WIRE_VEC(wire, w->sample);
    WIRE(wire, w->stride), WIRE(wire, w->tasks_ended), WIRE(wire, w->outcomes);
    gaps_wire(wire, &w->gaps);
    activity_wire(wire, &w->activity);
    timeline_wire(wire, &w->timeline);
    watch_wire(wire, &w->watch);
    if (wire->reading && (w->stride < 1 || w->stride & (w->stride - 1))) wire->bad = 1, w->stride = 1;
}
