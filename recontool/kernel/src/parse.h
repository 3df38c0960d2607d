/* Lines in, compact records out: the part that needs no memory of other lines, so that threads can share it. */
#ifndef RECON_PARSE_H
#define RECON_PARSE_H
#include "core.h"
#include "vocab.h"

enum { R_RECORD, R_REFUSED, R_HEADLESS, R_QUIET };

/* What a record carries. */
enum {
    HAS_A = 1, HAS_B = 2, HAS_X = 4, HEARTBEAT = 8, DEBUG_LOG = 16, HAS_TEXT = 32,
    /* and what a line without a header looks like */
    BLANK = 64, INDENTED = 128, TRACEBACK = 256, EXCEPTION = 512, OPENS_BRACE = 1024, OPENS_BRACKET = 2048,
    CLOSES_BRACE = 4096, CLOSES_BRACKET = 8192, HAS_LABEL_X = 16384,
    ALIVE = 32768, /* its fields are damaged, yet the process was there to write it */
};
enum { LABEL_NONE = 0, LABEL_RULE = 254, LABEL_HEAD = 255 }; /* between them: 1 + index of the label */

/* One field as a table wants it. */
typedef struct {
    int16_t field;
    u8 type;
    union {
        i64 i;
        double x;
        Str s;
    };
} Cell;

typedef struct {
    i64 at_us, until; /* of it and of the quiet records of its source that follow */
    u32 line; /* of its chunk, from 0 */
    u16 flags;
    u8 shape, kind, level, marker, moves, label;
    int16_t event, template;
    u32 cells_n;
    Str source, raw, text;
    i64 a, b;
    double x, label_x;
    Str name; /* of an event */
    Str s1, s2;
    u64 claimed;
    double *claims;
    Cell *cells;
} Rec;

typedef struct {
    u8 *buffer; /* page-aligned: the kernel of the system copies into such memory at full speed */
    size_t room, from, n;
    VEC(Rec) recs;
    u32 lines;
    Arena arena;
    /* caches of one thread */
    u8 minute[20];
    i64 minute_us;
    u8 source[136];
    u32 source_n;
    VEC(Cell) cells;
    const void *zone; /* whose clocks are ahead of UTC by so many seconds between two wall clock times */
    i64 zone_from, zone_until, zone_ahead;
} Chunk;

enum { WANT_CELLS = 1, WANT_LESS = 2 }; /* all fields for a table; for a summary no record of its own where nothing is marked */

typedef struct {
    const Vocab *vocab;
    const Format *format;
    Str source; /* whose file it is, where lines do not say so */
    int wants;
    const struct ZoneStep *zone; /* of times that carry none; see times.h */
    size_t zone_n;               /* 0: they are UTC */
} Parser;

/* How a header, a time or a body was taken. */
enum { FOUND, NO_HEADER, BAD };

void parse_lines(const Parser *parser, Chunk *chunk, const u8 *p, size_t n);

/* Parts that records of other shapes share. */
int parse_second(Chunk *chunk, const u8 *p, u8 between, i64 *at_us); /* YYYY-MM-DD?HH:MM:SS with `between` for ? */
int parse_tagged_body(const Parser *parser, Chunk *chunk, Rec *rec); /* `[MARKER] event key=value ...` in rec->text */
int parse_put(const Parser *parser, Chunk *chunk, Rec *rec, const EventRow *row, int field, Str text); /* 0: does not fit */
void parse_label(const Vocab *v, Rec *rec, Str text);                /* a line of a metrics block */
#endif
