/* Numbers of things by a hash of their names, so that a log of very many workers costs no search through all of them. */
#ifndef RECON_INDEX_H
#define RECON_INDEX_H
#include "core.h"

enum { NONE = 0xFFFFFFFFu };
typedef struct {
    u64 hash;
    u32 number; /* 1 + number; 0: empty */
} Entry;
typedef struct {
    VEC(Entry) slot; /* a power of two of them */
    size_t used;
} Index;

static inline void index_free(Index *x) {
    VEC_FREE(x->slot);
    x->used = 0;
}

/* Those entered under `hash`, in the order in which they were: begin with `*at` as the hash, end at NONE. The caller
 * compares the names. */
static inline u32 index_next(const Index *x, u64 hash, u64 *at) {
    if (!x->slot.n) return NONE;
    for (;; ++*at) {
        const Entry *e = &x->slot.p[*at & (x->slot.n - 1)];
        if (!e->number) return NONE;
        if (e->hash == hash) return ++*at, e->number - 1;
    }
}

static inline void index_enter(Index *x, u64 hash, u32 number) {
    u64 at = hash;
    while (x->slot.p[at & (x->slot.n - 1)].number) at++;
    x->slot.p[at & (x->slot.n - 1)] = (Entry){hash, number + 1};
}

static inline void index_put(Index *x, u64 hash, u32 number) {
    if (2 * (x->used + 1) > x->slot.n) {
        Index bigger = {0};
        bigger.slot.n = bigger.slot.cap = x->slot.n ? 2 * x->slot.n : 64;
        bigger.slot.p = need(calloc(bigger.slot.n, sizeof(Entry)));
        /* From an empty slot on, so that equal hashes keep their order around the end of the table. */
        size_t first = 0;
        while (first < x->slot.n && x->slot.p[first].number) first++;
        for (size_t i = 0; i < x->slot.n; i++) {
            const Entry *e = &x->slot.p[(first + i) & (x->slot.n - 1)];
            if (e->number) index_enter(&bigger, e->hash, e->number - 1);
        }
        bigger.used = x->used;
        VEC_FREE(x->slot);
        *x = bigger;
    }
    index_enter(x, hash, number);
    x->used++;
}
#endif
