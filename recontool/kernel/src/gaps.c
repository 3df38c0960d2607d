/* Silences, activity per stretch of time, running tasks; the references are metrics/gaps.py, activity.py, tasks.py. */
#include "fold.h"

static const i64 LEAST_US = 100000;

static void settle(Gaps *g) {
    g->enough = LEAST_US;
    if (g->configured != NO_TIME && 2 * g->configured >= g->enough) g->enough = 2 * g->configured + 1;
    if (g->heap.n == G_MOST && g->heap.p[0].start > g->enough) g->enough = g->heap.p[0].start;
}

void gaps_init(Gaps *g) {
    g->last = g->configured = NO_TIME;
    settle(g);
    for (int i = 0; i < PERIODICS; i++) g->periodic_last[i] = NO_TIME;
}

static int less(Span a, Span b) { return a.start != b.start ? a.start < b.start : a.end < b.end; }

static void sift_down(Spans *heap) {
    Span moving = heap->p[0];
    size_t i = 0, n = heap->n;
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && less(heap->p[child + 1], heap->p[child])) child++;
        if (!less(heap->p[child], moving)) break;
        heap->p[i] = heap->p[child];
    }
    heap->p[i] = moving;
}

void keep_longest(Spans *heap, size_t most, Span silence) {
    if (UNLIKELY(heap->n < most)) {
        VEC_PUSH(*heap, silence);
        size_t i = heap->n - 1;
        for (size_t parent; i && less(silence, heap->p[parent = (i - 1) / 2]); i = parent) heap->p[i] = heap->p[parent];
        heap->p[i] = silence;
    } else if (less(heap->p[0], silence)) {
        heap->p[0] = silence;
        sift_down(heap);
    }
}

void gaps_configure(Gaps *g, i64 interval) {
    g->configured = interval;
    settle(g);
}

void gaps_far(Gaps *g, i64 at) {
    if (at < g->last) return;
    if (g->last != NO_TIME) {
        keep_longest(&g->heap, G_MOST, (Span){at - g->last, g->last});
        settle(g);
    }
    g->last = at;
}

void gaps_periodic(Gaps *g, int kind, i64 at) {
    i64 last = g->periodic_last[kind];
    g->periodic_last[kind] = at;
    if (last != NO_TIME && at > last && g->distances[kind].n < G_SAMPLED) VEC_PUSH(g->distances[kind], at - last);
}

void gaps_free(Gaps *g) {
    VEC_FREE(g->heap);
    for (int i = 0; i < PERIODICS; i++) VEC_FREE(g->distances[i]);
}

void gaps_wire(Wire *w, Gaps *g) {
    WIRE(w, g->last), WIRE(w, g->configured), WIRE(w, g->periodic_last);
    WIRE_VEC(w, g->heap);
    for (int i = 0; i < PERIODICS; i++) WIRE_VEC(w, g->distances[i]);
    if (w->reading) settle(g);
}

static i64 floor_div(i64 a, i64 b) { return a / b - (a % b < 0); }

static u32 bucket_slot(i64 key) { return (u32)(mix((u64)key) >> 32) & (BUCKET_TABLE - 1); }

static void reindex(Activity *a) {
    memset(a->at, -1, sizeof a->at);
    for (size_t i = 0; i < a->buckets.n; i++) {
        u32 h = bucket_slot(a->buckets.p[i].key);
        while (a->at[h & (BUCKET_TABLE - 1)] >= 0) h++;
        a->at[h & (BUCKET_TABLE - 1)] = (int16_t)i;
    }
    a->span = 0;
}

void activity_init(Activity *a) {
    a->width = 1000000;
    reindex(a);
}

static size_t bucket_of(Activity *a, i64 key) {
    u32 h = bucket_slot(key);
    for (; a->at[h & (BUCKET_TABLE - 1)] >= 0; h++) {
        size_t i = (size_t)a->at[h & (BUCKET_TABLE - 1)];
        if (a->buckets.p[i].key == key) return i;
    }
    VEC_PUSH(a->buckets, ((Bucket){.key = key}));
    a->at[h & (BUCKET_TABLE - 1)] = (int16_t)(a->buckets.n - 1);
    return a->buckets.n - 1;
}

static void coarsen(Activity *a) {
    Bucket *old = a->buckets.p;
    size_t n = a->buckets.n;
    a->width *= 2;
    a->buckets.p = NULL, a->buckets.n = a->buckets.cap = 0;
    reindex(a);
    for (size_t i = 0; i < n; i++) {
        size_t k = bucket_of(a, floor_div(old[i].key, 2));
        Bucket *to = &a->buckets.p[k];
        for (int c = 0; c < COLUMNS; c++) to->row[c] += old[i].row[c];
    }
    free(old);
    a->span = 0;
}

void activity_turn(Activity *a, i64 at) {
    size_t i = bucket_of(a, floor_div(at, a->width));
    if (a->buckets.n > MOST_BUCKETS) {
        coarsen(a);
        i = bucket_of(a, floor_div(at, a->width));
    }
    a->from = a->buckets.p[i].key * a->width, a->span = (u64)a->width, a->row = a->buckets.p[i].row;
}

void activity_free(Activity *a) { VEC_FREE(a->buckets); }

void activity_wire(Wire *w, Activity *a) {
    WIRE(w, a->width);
    WIRE_VEC(w, a->buckets);
    if (w->reading) {
        if (a->width <= 0 || a->buckets.n > MOST_BUCKETS) w->bad = 1, a->buckets.n = 0, a->width = 1000000;
        reindex(a);
    }
}

static Str key_of(const Running *slot) { return (Str){slot->n <= NEAR ? slot->near : slot->far, slot->n}; }

static void key_free(Running *slot) {
    if (slot->n > NEAR) free(slot->far);
    slot->used = 0;
}

static void running_grow(RunningTasks *r) {
    RunningTasks bigger = {0};
    size_t cap = r->slot.n ? r->slot.n * 2 : 64;
    bigger.slot.p = need(calloc(cap, sizeof(Running)));
    bigger.slot.n = bigger.slot.cap = cap;
    bigger.used = r->used;
    for (size_t i = 0; i < r->slot.n; i++) {
        if (!r->slot.p[i].used) continue;
        size_t h = r->slot.p[i].hash & (cap - 1);
        while (bigger.slot.p[h].used) h = (h + 1) & (cap - 1);
        bigger.slot.p[h] = r->slot.p[i];
    }
    free(r->slot.p);
    *r = bigger;
}

/* Where the key is, or may be put. */
static inline Running *running_find(const RunningTasks *r, Str key, u64 hash) {
    size_t mask = r->slot.n - 1, h = hash & mask;
    while (r->slot.p[h].used && !(r->slot.p[h].hash == hash && same_name(key_of(&r->slot.p[h]), key))) h = (h + 1) & mask;
    return &r->slot.p[h];
}

static void key_set(Running *slot, Str key, u64 hash) {
    slot->hash = hash, slot->n = key.n, slot->used = 1;
    if (LIKELY(key.n <= NEAR)) {
        for (u32 i = 0; i < key.n; i += 8) memcpy(slot->near + i, key.p + i, 8);
    } else {
        slot->far = need(malloc(key.n + 8u));
        memcpy(slot->far, key.p, key.n);
    }
}

void running_put(RunningTasks *r, Str key, i64 at) {
    if (UNLIKELY((r->used + 1) * 2 > r->slot.n)) running_grow(r);
    u64 hash = hash_name(key);
    Running *slot = running_find(r, key, hash);
    if (LIKELY(!slot->used)) key_set(slot, key, hash), r->used++;
    slot->at = at;
}

i64 running_pop(RunningTasks *r, Str key) {
    if (UNLIKELY(!r->used)) return NO_TIME;
    Running *found = running_find(r, key, hash_name(key));
    if (UNLIKELY(!found->used)) return NO_TIME;
    size_t mask = r->slot.n - 1, hole = (size_t)(found - r->slot.p);
    i64 at = found->at;
    key_free(found);
    r->used--;
    /* Close the hole, so that no probe ends too early. */
    for (size_t i = (hole + 1) & mask; r->slot.p[i].used; i = (i + 1) & mask) {
        size_t home = r->slot.p[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            r->slot.p[hole] = r->slot.p[i];
            r->slot.p[i].used = 0;
            hole = i;
        }
    }
    return at;
}

void running_drop(RunningTasks *r, i64 first) {
    RunningTasks kept = {0};
    for (size_t i = 0; i < r->slot.n; i++)
        if (r->slot.p[i].used && r->slot.p[i].at > first) running_put(&kept, key_of(&r->slot.p[i]), r->slot.p[i].at);
    running_free(r);
    *r = kept;
}

void running_free(RunningTasks *r) {
    for (size_t i = 0; i < r->slot.n; i++)
        if (r->slot.p[i].used) key_free(&r->slot.p[i]);
    VEC_FREE(r->slot);
    r->used = 0;
}

void running_wire(Wire *w, RunningTasks *r) {
    u64 n = r->used;
    WIRE(w, n);
    if (!w->reading) {
        for (size_t i = 0; i < r->slot.n; i++)
            if (r->slot.p[i].used) {
                Str key = key_of(&r->slot.p[i]);
                Text own = {0};
                text_set(&own, key.p, key.n);
                WIRE(w, r->slot.p[i].at);
                WIRE_VEC(w, own);
                VEC_FREE(own);
            }
        return;
    }
    for (u64 i = 0; i < n && !w->bad; i++) {
        i64 at = 0;
        Text key = {0};
        WIRE(w, at);
        WIRE_VEC(w, key);
        if (!w->bad) running_put(r, text_str(&key), at);
        VEC_FREE(key);
    }
}
