/* Lines in, compact records out: the part that needs no memory of other lines, so that threads can share it. */
#ifndef RECON_PARSE_H
#define RECON_PARSE_H
#include <stddef.h>

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

/* What lines a summary only counts come to; they stand with a record of their source. */
enum { TALLY_TASKS = MARKERS, TALLIES = MARKERS + 3 }; /* by marker, then tasks completed, failed, cancelled */

typedef struct {
    i64 at_us, until; /* of it and of the lines of its source that follow and are counted with it */
    u16 flags; /* from here on its traits, below */
    u8 shape, kind, marker, moves, label;
    int16_t event, template;
    u32 cells_n;
    u8 level;
    u32 line; /* of its chunk, from 0 */
    u32 who; /* records of one chunk with the same number, and not 0, are of the same source */
    Str source, raw, text;
    union {
        struct {
            i64 a, b;
            double x;
            u64 claimed;
            double *claims;
        };
        u32 tally[TALLIES]; /* where a parser wants less */
    };
    double label_x;
    Str name; /* of an event */
    Str s1, s2;
    Cell *cells;
} Rec;

/* What records of one layout have in common stands together, to be set at once. */
enum { TRAITS_AT = offsetof(Rec, flags), TRAITS = offsetof(Rec, level) - TRAITS_AT };

/* What stood between the time and the text of a line, and who that is: most lines begin as an earlier one did. */
enum { HEAD_MOST = 64, HEADS = 64, HEAD_TRIES = 4 };
typedef struct {
    u8 least[HEAD_MOST], above[HEAD_MOST]; /* as of a Layout: the text, and behind it anything */
    u32 n, source_at, source_n; /* source_n 0: it names none */
    u32 who; /* heads of one source have one number, from 1 on */
    u32 logger; /* whose templates know its texts; 0: nobody's */
    u8 level;
} __attribute__((aligned(128))) Head; /* found by a shift */

/* What an event means, by its marker and its name. */
typedef struct {
    u32 name_at, name_end; /* in its text */
    int16_t event;
    u8 marker, kind, moves, counted; /* counted: a summary needs only its number */
    u8 outcome;                      /* of a task, where its tally has it; M_NONE: of none */
} Meaning;

/* What a value is, and where somebody wants it. */
typedef struct {
    int16_t field;
    u8 type, slot;
} Use;

/* `[MARKER] event` or `event` as a line had it, what that means, and the fields that came after it, in their order. */
enum { OPENING_MOST = 32, KEY_MOST = 16, KEYS_KEPT = 8, OPENINGS = 64 };
typedef struct {
    u8 text[KEY_MOST];
    u32 n;
    Use use;
    u8 skip, whole, number; /* nobody wants the value; a good value is digits alone; or may have one point between them */
} Key;
typedef struct {
    u8 text[OPENING_MOST];
    u32 n;
    Meaning meaning;
    const EventRow *row;
    Key keys[KEYS_KEPT];
} Opening;

/* How a good text stood: what its bytes may be, and where the values are that somebody wants. */
enum { LAYOUT_MOST = 128, LAYOUTS = 512 };
typedef struct {
    u8 at, n, after; /* after: so many digits are behind a point */
    Use use;
} Spot;
typedef struct {
    u8 least[LAYOUT_MOST], above[LAYOUT_MOST]; /* a byte is no less than that, and no more than so much above it */
    u64 stops[2];                              /* which bytes end a name or a value, a bit each */
    u32 n, logger;
    u8 tally[16];  /* what one text of it adds to those of a record */
    u8 only_tally; /* a summary needs nothing else of it */
    u8 labels;     /* it may be a line of a metrics block */
    u8 whole, real; /* a or b is wanted; x is */
    u8 traits[TRAITS];
    Spot s1, a, b, x; /* n 0: nobody wants one */
    u32 others_n;
    Spot others[KEYS_KEPT];
    Meaning meaning;
} __attribute__((aligned(64))) Layout;
_Static_assert(TALLIES <= sizeof((Layout *)0)->tally, "a layout counts whatever a record does");

/* Where some bytes were put last time: 1 + the index of what is known of them, 0 where there is nothing. */
enum { PLACES = 1024 };
typedef struct {
    u16 at[PLACES];
    u32 n; /* how many were put */
} Places;

typedef struct {
    u8 *buffer; /* page-aligned: the kernel of the system copies into such memory at full speed */
    size_t room, from, n;
    VEC(Rec) recs;
    u32 lines;
    Arena arena;
    /* what was learnt of lines before */
    u8 minute[20];
    i64 minute_us;
    u8 source[136];
    u32 source_n;
    VEC(Cell) cells;
    u8 stamp_least[32], stamp_above[32]; /* as of a Layout: any time of a minute, and anything behind it */
    u32 stamp_n; /* 0: none was seen */
    i64 stamp_us;
    i64 stamp_digits, stamp_zeros; /* of eight digits from the second on: those there are, and zeros in place of others */
    Head heads[HEADS]; /* by some of their bytes */
    u64 heads_by; /* the kin of parsers whose loggers they name; 0: they name none */
    u32 sources; /* numbers given */
    u32 who;     /* for a summary: that of the last record, 0 when it has none */
    Rec *with;   /* that record */
    Places opening_at, layout_at;
    Opening *openings;
    Layout *layouts;
    u64 learnt_by;    /* the kin of parsers to which they mean that */
    u32 rest;         /* for so many batches no layout is looked for */
    u64 zone_serial; /* the zone whose clocks are ahead of UTC by so many seconds between two wall clock times */
    i64 zone_from, zone_until, zone_ahead;
} Chunk;

enum { WANT_CELLS = 1, WANT_LESS = 2 }; /* all fields for a table; for a summary no record of its own where nothing is marked */

typedef struct {
    const Vocab *vocab;
    const Format *format;
    Str source; /* whose file it is, where lines do not say so */
    int wants;
    u64 kin; /* parsers that have it in common want the same of lines of the same format */
    const struct ZoneStep *zone; /* of times that carry none; see times.h */
    size_t zone_n;               /* 0: they are UTC */
    u64 zone_serial;             /* no other zone of this process has it */
} Parser;

enum { PADDING = 512 }; /* bytes behind a chunk's lines that may be read, and are 0 */

/* How a header, a time or a body was taken. */
enum { FOUND, NO_HEADER, BAD };

void chunk_free(Chunk *chunk); /* what it holds */
void parse_lines(const Parser *parser, Chunk *chunk, const u8 *p, size_t n);

/* How many bytes the processor may take at a time: 0 as C has it, 1 with AVX2, 2 with AVX-512. */
int parse_width(int most); /* use no more than `most`, what is fastest below 0; returns what is used */

/* Parts that records of other shapes share. */
int parse_second(Chunk *chunk, const u8 *p, u8 between, i64 *at_us); /* YYYY-MM-DD?HH:MM:SS with `between` for ? */
int parse_tagged_body(const Parser *parser, Chunk *chunk, Rec *rec); /* `[MARKER] event key=value ...` in rec->text */
int parse_put(const Parser *parser, Chunk *chunk, Rec *rec, const EventRow *row, int field, Str text); /* 0: does not fit */
int parse_traceback(Str line); /* whether a traceback, or the next one of a chain, begins with it */
void parse_label(const Vocab *v, Rec *rec, Str text);                /* a line of a metrics block */
#endif
