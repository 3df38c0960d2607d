#include "wide.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#include "line.h"
#include "shaped.h"
#include "times.h"

enum { LONGEST_TEXT = 127, AHEAD = 64, STRETCH = 1 << 12, RESTS = 15 };
enum { TAGGED, LESS, SHAPED }; /* lines of the tagged grammar, the same for a summary, lines in the shapes of a format */

/* What is known of every byte of the text behind a header, a bit each: the first 64 and the next. A stop ends a name or a
 * bare value; see stops() in layout.h. The end of the line is one. */
typedef struct {
    u64 stop, more_stop, digit, more_digit;
    u32 base; /* of what `stop` has left */
} Marks;

static inline u64 below(u32 n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }

/* The next stop; there must be one. */
static inline u32 next_stop(Marks *m) {
    if (UNLIKELY(m->stop == 0)) m->stop = m->more_stop, m->base = 64;
    u32 at = m->base + (u32)__builtin_ctzll(m->stop);
    m->stop &= m->stop - 1;
    return at;
}

/* Bit 0 is the place `at`. */
static inline u64 digits_from(const Marks *m, u32 at) {
    u32 by = at & 63;
    return at < 64 ? m->digit >> by | m->more_digit << 1 << (63 - by) : m->more_digit >> by;
}

/* Up to eight digits. */
static inline u64 eight_digits(const u8 *p, u32 n) {
    u64 v = (load64(p) - 0x3030303030303030u) << (64 - 8 * n);
    v = v * 10 + (v >> 8);
    return ((v & 0x000000FF000000FFu) * 0x000F424000000064u + (v >> 16 & 0x000000FF000000FFu) * 0x0000271000000001u) >> 32;
}

static const i64 TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

static inline u64 sixteen_digits(const u8 *p, u32 n) {
    if (n <= 8) return eight_digits(p, n);
    return eight_digits(p, n - 8) * (u64)TEN[8] + eight_digits(p + n - 8, 8);
}

/* Whether a value is one that needs no conversion, or digits with no more than a point between them. */
static inline int plainly_good(const Key *key, const u8 *p, u32 n, u64 others) {
    u32 point = (u32)__builtin_ctzll(others | 1ull << 63);
    int pointed = ((others & (others - 1)) == 0) & (point > 0) & (point + 1 < n) & (p[point & 63] == '.');
    return (key->number == 0) | ((n < 16) & ((others == 0) | ((key->whole == 0) & pointed)));
}

/* A value of digits alone, or with one point between them, is read here; 0 leaves it to the grammar. */
static inline int quick_number(const Parser *parser, Chunk *chunk, Rec *rec, Use use, const u8 *p, u32 n, u64 others) {
    int whole = others == 0;
    Cell cell = {.field = use.field, .type = use.type};
    if (n > 16) return 0;
    if (use.type == T_INT) {
        if (!whole) return 0;
        cell.i = (i64)sixteen_digits(p, n);
        if (use.slot == S_A) rec->a = cell.i, rec->flags |= HAS_A;
        else if (use.slot == S_B) rec->b = cell.i, rec->flags |= HAS_B;
    } else {
        u32 point = whole ? n : (u32)__builtin_ctzll(others), after = whole ? 0 : n - point - 1;
        if (n - !whole > 15 || (!whole && ((others & (others - 1)) != 0 || p[point] != '.' || point == 0 || after == 0 || after > 8))) return 0;
        u64 mantissa = sixteen_digits(p, point);
        if (after) mantissa = mantissa * (u64)TEN[after] + eight_digits(p + point + 1, after);
        cell.x = (double)mantissa / (double)TEN[after]; /* as parse_float has it */
        if (use.slot == S_X) rec->x = cell.x, rec->flags |= HAS_X;
    }
    if (UNLIKELY(parser->wants & WANT_CELLS)) VEC_PUSH(chunk->cells, cell);
    return 1;
}

static __attribute__((noinline)) int take_value(const Parser *parser, Chunk *chunk, Rec *rec, Use use, const u8 *p, u32 n, u64 others) {
    if (use.field < 0) return 1;
    if (use.type == T_STR) {
        if (use.slot == S_SKIP || use.slot == S_TEXT) { /* printable ASCII, which needs no look */
            Cell cell = {.field = use.field, .type = T_STR, .s = {p, n}};
            if (use.slot == S_TEXT) rec->s1 = cell.s, rec->flags |= HAS_TEXT;
            if (parser->wants & WANT_CELLS) VEC_PUSH(chunk->cells, cell);
            return 1;
        }
    } else if (use.type != T_BOOL && use.slot != S_METRIC && quick_number(parser, chunk, rec, use, p, n, others)) {
        return 1;
    }
    return put(parser, chunk, rec, use.slot, use.field, (Str){p, n});
}

static inline int quick_value(const Parser *parser, Chunk *chunk, Rec *rec, const Key *key, const u8 *p, u32 n, u64 digits) {
    u64 others = ~digits & below(n);
    if (key->skip & plainly_good(key, p, n, others)) return 1;
    return take_value(parser, chunk, rec, key->use, p, n, others);
}

/* Learn what the name of a field means after this opening; 0 when it is no name. */
static int learn_key(const Parser *parser, const Opening *opening, Key *key, Str name) {
    if (!(CLASS[name.p[0]] & C_LOWER)) return 0;
    for (u32 i = 1; i < name.n; i++)
        if (!(CLASS[name.p[i]] & C_NAME)) return 0;
    int f = vocab_field(parser->vocab, name);
    *key = (Key){.n = name.n, .use = {.field = (int16_t)f, .slot = S_SKIP}, .skip = 1};
    memcpy(key->text, name.p, name.n <= KEY_MOST ? name.n : KEY_MOST);
    if (f < 0) return 1;
    Use *use = &key->use;
    use->type = parser->vocab->fields.p[f].type;
    key->whole = use->type == T_INT, key->number = use->type != T_STR;
    if (opening->row != NULL && !(parser->wants & WANT_LESS)) use->slot = opening->row->slot[f];
    key->skip = use->slot == S_SKIP && use->type != T_BOOL && !(parser->wants & WANT_CELLS);
    return 1;
}

static inline u32 opening_place(const u8 *end, u32 n) {
    u64 last = load64(end - 8), more = load64(end - 16);
    if (n < 16) more &= n > 8 ? ~below(8 * (16 - n)) : 0;
    if (n < 8) last &= ~below(8 * (8 - n));
    return (u32)((last ^ (more << 21 | more >> 43)) * 0x9E3779B97F4A7C15u >> 54);
}

/* An index below `most` for what is not known yet, entered from `place` on; the oldest gives way, and all do when half
 * of the places are taken. */
static u32 settle(Places *places, u32 place, u32 most) {
    if (places->n == PLACES / 2) memset(places, 0, sizeof *places);
    u32 i = places->n++ % most;
    while (places->at[place & (PLACES - 1)]) place++;
    places->at[place & (PLACES - 1)] = (u16)(i + 1);
    return i;
}

static Opening *learn_opening(const Parser *parser, Chunk *chunk, u32 place, Str text) {
    Opening fresh;
    if (!parse_opening(parser, text, &fresh)) return NULL;
    Opening *opening = &chunk->openings[settle(&chunk->opening_at, place, OPENINGS)];
    return *opening = fresh, opening;
}

#include "head.h"

/* A line that begins as one before did. */
typedef struct {
    Str line, text; /* without its end */
    const Head *head;
    const Layout *layout; /* of a text that may have a marker, NULL when it is not known */
} Begun;

/* Lines that were looked at and not yet taken. */
typedef struct {
    Begun line[AHEAD];
    i64 second[AHEAD]; /* digits of their times */
    u8 looked[AHEAD]; /* for a summary: those whose texts are looked at, since they may have a marker; else all are */
    const Begun *strange; /* one of them whose layout is not known */
    u32 n, looked_n, odd; /* odd, for a summary: not all are of the source of the record before, and marked or plain */
} Ahead;

/* Where a text begins so, a summary takes neither its marker, nor only its time: it may be the start of the process,
 * `config`, or a line of a block. */
static const u8 ODD[256] = {
    [0 ... 'Z'] = 1, ['\\' ... '`'] = 1, ['c'] = 1, ['{' ... 255] = 1,
};

static inline Str source_of(const Parser *parser, const Begun *b) {
    return b->head->source_n ? (Str){b->line.p + b->head->source_at, b->head->source_n} : parser->source;
}

static inline Rec *room_for(Chunk *chunk) {
    VEC_ROOM(chunk->recs, 1); /* this moves those before */
    return &chunk->recs.p[chunk->recs.n];
}

/* A record of nothing yet. */
static inline Rec *begin(const Parser *parser, Chunk *chunk, const Begun *b) {
    Rec *rec = room_for(chunk);
    blank(parser, rec, b->line);
    chunk->cells.n = 0;
    return rec;
}

/* The record is one. */
static inline void admit(const Parser *parser, Chunk *chunk, Rec *rec, const Begun *b, i64 at) {
    rec->at_us = rec->until = at;
    rec->level = b->head->level, rec->source = source_of(parser, b);
    rec->line = chunk->lines;
    rec->who = b->head->who;
    chunk->recs.n++;
}

/* Lines of its source that follow may be counted with the record. */
static inline void lead(Chunk *chunk, Rec *rec) { chunk->with = rec, chunk->who = rec->who; }

static inline void set_meaning(Rec *rec, const Meaning *m) {
    rec->marker = m->marker, rec->kind = m->kind, rec->moves = m->moves, rec->event = m->event;
}

static inline void keep(const Parser *parser, Chunk *chunk, Rec *rec, const Meaning *m, const Begun *b, i64 at) {
    admit(parser, chunk, rec, b, at), lead(chunk, rec);
    rec->text = b->text;
    set_meaning(rec, m);
    rec->name = (Str){b->text.p + m->name_at, m->name_end - m->name_at};
    keep_cells(chunk, rec);
}

/* Whether a line may be counted with the record before. */
static inline int goes_on(const Parser *parser, Chunk *chunk, const Begun *b) {
    if (LIKELY(chunk->who == b->head->who)) return 1;
    Rec *with = before(chunk, chunk->recs.p + chunk->recs.n, source_of(parser, b));
    if (with != NULL) chunk->with = with, chunk->who = b->head->who;
    return with != NULL;
}

/* Count a line that a summary wants no more of with the record before it, which is of the same source. */
static inline void tally(Chunk *chunk, const Meaning *m, i64 at) {
    Rec *with = chunk->with;
    if (at > with->until) with->until = at;
    with->tally[m->marker]++;
    with->tally[m->outcome]++;
}

/* A record that a summary only takes the time of. */
static inline int quiet(const Parser *parser, Chunk *chunk, const Begun *b, i64 at) {
    if (LIKELY(goes_on(parser, chunk, b))) {
        if (at > chunk->with->until) chunk->with->until = at;
        return 1;
    }
    Rec *rec = begin(parser, chunk, b);
    rec->shape = R_QUIET;
    admit(parser, chunk, rec, b, at), lead(chunk, rec);
    return 1;
}

#include "layout.h"
#include "shaped_layout.h"

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define ALWAYS __attribute__((always_inline, target("avx2,bmi,bmi2,popcnt"))) static inline
#include "avx2.h"
#include "wide_record.h"
#include "wide_lines.h"
#undef NAME
#undef TARGET
#undef ALWAYS

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,avx512bw,avx512vl")))
#define ALWAYS __attribute__((always_inline, target("avx2,bmi,bmi2,popcnt,avx512bw,avx512vl"))) static inline
#include "avx512.h"
#include "wide_record.h"
#include "wide_lines.h"

static int can(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("popcnt"))
        return 0;
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") ? 2 : 1;
}

/* Processors from before VBMI2 run slower while they work with 64 bytes, by more than that saves. */
static int best(void) { return __builtin_cpu_supports("avx512vbmi2") ? 2 : 1; }

static int most_allowed = -1; /* nobody has said */

static int width_used(void) {
    int able = can(), most = most_allowed < 0 ? best() : most_allowed;
    return able < most ? able : most;
}

int parse_width(int most) {
    most_allowed = most;
    return width_used();
}

int wide_lines(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end) {
    int width = width_used();
    if (width == 0) return 0;
    if (chunk->openings == NULL) {
        chunk->openings = need(malloc(OPENINGS * sizeof(Opening)));
        chunk->layouts = need(aligned_alloc(_Alignof(Layout), LAYOUTS * sizeof(Layout)));
    }
    u64 heads_by = parser->format->templates ? parser->kin : 0;
    if (chunk->heads_by != heads_by) {
        memset(chunk->heads, 0, sizeof chunk->heads);
        chunk->stamp_n = chunk->sources = 0, chunk->heads_by = heads_by;
    }
    if (chunk->learnt_by != parser->kin) {
        memset(&chunk->opening_at, 0, sizeof chunk->opening_at);
        memset(&chunk->layout_at, 0, sizeof chunk->layout_at);
        chunk->learnt_by = parser->kin;
    }
    if (width == 2) lines_avx512(parser, chunk, p, end);
    else lines_avx2(parser, chunk, p, end);
    return 1;
}
#else
int parse_width(int most) { return (void)most, 0; }
int wide_lines(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end) { return (void)parser, (void)chunk, (void)p, (void)end, 0; }
#endif
