/* What every part of the kernel shares: integers, growing arrays, an arena, the wire that states are saved on.
 *
 * No Python header is needed: the library is plain C behind ctypes, so it builds wherever a compiler is, and a
 * call into it runs without Python's lock.
 */
#ifndef RECON_CORE_H
#define RECON_CORE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;
typedef __int128 i128;

#define NO_TIME INT64_MIN
#define MAX_LINE (1 << 20) /* as logs/lines.py: longer lines are cut here */

#if defined(__GNUC__) && __GNUC__ >= 4
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Bytes that live elsewhere: in the chunk being read, or in its arena. */
typedef struct {
    const u8 *p;
    u32 n;
} Str;

static inline int same(Str a, Str b) { return a.n == b.n && memcmp(a.p, b.p, a.n) == 0; }
static inline int is(Str a, const char *text) { return a.n == strlen(text) && memcmp(a.p, text, a.n) == 0; }

/* Out of memory ends the process: a count that misses a line would be worse. */
static inline void *need(void *p) {
    if (UNLIKELY(p == NULL)) abort();
    return p;
}

/* Memory of nothing but 0 for a type that stands on a multiple of `align` bytes, of which `size` is one. */
static inline void *cleared(size_t align, size_t size) { return memset(need(aligned_alloc(align, size)), 0, size); }

#define VEC(T)         \
    struct {           \
        T *p;          \
        size_t n, cap; \
    }
#define VEC_ROOM(v, more)                                                   \
    do {                                                                    \
        if (UNLIKELY((v).n + (more) > (v).cap)) {                           \
            (v).cap = ((v).n + (more)) * 2 + 8;                             \
            (v).p = need(realloc((v).p, (v).cap * sizeof *(v).p));          \
        }                                                                   \
    } while (0)
#define VEC_PUSH(v, x)         \
    do {                       \
        VEC_ROOM(v, 1);        \
        (v).p[(v).n++] = (x);  \
    } while (0)
#define VEC_FREE(v) (free((v).p), (v).p = NULL, (v).n = (v).cap = 0)

/* Bytes a state owns. */
typedef VEC(u8) Text;
static inline void text_set(Text *t, const u8 *p, size_t n) {
    t->n = 0;
    VEC_ROOM(*t, n + 8); /* so that words may be loaded whole */
    if (n) memcpy(t->p, p, n);
    t->n = n;
}
static inline void text_add(Text *t, const void *p, size_t n) {
    if (n == 0) return;
    VEC_ROOM(*t, n);
    memcpy(t->p + t->n, p, n);
    t->n += n;
}
static inline Str text_str(const Text *t) { return (Str){t->p, (u32)t->n}; }

/* Memory that lives as long as the chunk it belongs to. */
typedef struct Block {
    struct Block *next;
    size_t cap, used;
    u8 data[];
} Block;
typedef struct {
    Block *first;
} Arena;

static inline void *arena_take(Arena *a, size_t n) {
    n = (n + 15) & ~(size_t)15;
    if (a->first == NULL || a->first->used + n > a->first->cap) {
        size_t cap = n > 65536 ? n : 65536;
        Block *b = need(malloc(sizeof *b + cap));
        b->next = a->first, b->cap = cap, b->used = 0;
        a->first = b;
    }
    void *p = a->first->data + a->first->used;
    a->first->used += n;
    return p;
}
static inline void arena_clear(Arena *a) {
    while (a->first != NULL && a->first->next != NULL) {
        Block *b = a->first;
        a->first = b->next;
        free(b);
    }
    if (a->first != NULL) a->first->used = 0;
}
static inline void arena_free(Arena *a) {
    arena_clear(a);
    free(a->first);
    a->first = NULL;
}

static inline u64 load64(const u8 *p) {
    u64 v;
    memcpy(&v, p, 8);
    return v;
}
/* As `same`, for names in chunks and states, behind which seven more bytes may be read. */
static inline int same_name(Str a, Str b) {
    if (a.n != b.n) return 0;
    u32 n = a.n;
    const u8 *p = a.p, *q = b.p;
    for (; n >= 8; p += 8, q += 8, n -= 8)
        if (load64(p) != load64(q)) return 0;
    return n == 0 || ((load64(p) ^ load64(q)) & ((1ull << 8 * n) - 1)) == 0;
}
static inline u64 mix(u64 h) {
    h ^= h >> 32;
    h *= 0x9E3779B97F4A7C15u;
    return h ^ (h >> 29);
}
static inline u64 hash_bytes(const u8 *p, size_t n) {
    u64 h = n * 0x9E3779B97F4A7C15u;
    for (; n >= 8; p += 8, n -= 8) h = mix(h ^ load64(p)) * 0xD6E8FEB86659FD93u;
    u64 tail = 0;
    for (size_t i = 0; i < n; i++) tail |= (u64)p[i] << (8 * i);
    return mix(mix(h ^ tail) * 0xD6E8FEB86659FD93u);
}
/* Of names in chunks and states, as `same_name`. */
static inline u64 hash_name(Str name) {
    u64 h = name.n * 0x9E3779B97F4A7C15u;
    const u8 *p = name.p;
    u32 n = name.n;
    for (; n > 8; p += 8, n -= 8) h = mix(h ^ load64(p)) * 0xD6E8FEB86659FD93u;
    return mix(h ^ (n ? load64(p) << (64 - 8 * n) : 0));
}

/* Saves and loads with one description of each state, so that both can never disagree. */
typedef struct {
    int reading;
    Text out; /* while writing */
    const u8 *in;
    size_t left; /* while reading */
    int bad;     /* the input ended early or made no sense: throw the state away */
} Wire;

static inline void wire_bytes(Wire *w, void *p, size_t n) {
    if (!w->reading) {
        VEC_ROOM(w->out, n);
        memcpy(w->out.p + w->out.n, p, n);
        w->out.n += n;
    } else if (w->bad || n > w->left) {
        w->bad = 1;
        memset(p, 0, n);
    } else {
        memcpy(p, w->in, n);
        w->in += n, w->left -= n;
    }
}
#define WIRE(w, x) wire_bytes(w, &(x), sizeof(x))
#define WIRE_COUNT(w, v, least)                                                         \
    do {                                                                                \
        u64 count_ = (v).n;                                                             \
        WIRE(w, count_);                                                                \
        if ((w)->reading) {                                                             \
            if ((w)->bad || count_ > (w)->left / (least)) (w)->bad = 1, count_ = 0;     \
            (v).n = 0;                                                                  \
            VEC_ROOM(v, count_);                                                        \
            (v).n = count_;                                                             \
        }                                                                               \
    } while (0)
#define WIRE_VEC(w, v)                                          \
    do {                                                        \
        WIRE_COUNT(w, v, sizeof *(v).p);                        \
        if ((v).n) wire_bytes(w, (v).p, (v).n * sizeof *(v).p); \
    } while (0)

#endif
