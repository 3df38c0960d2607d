/* Files of a fleet in order: the lines of each accounted for, its events folded into whom they belong to.
 *
 * The compiled twin of logs/reader.py, the stateful half of logs/decoder.py, and analysis/fleet.py.
 */
#ifndef RECON_FLEET_H
#define RECON_FLEET_H
#include "core.h"
#include "worker.h"

enum { N_PARSED, N_CONTINUATION, N_BLANK, N_UNMARKED, N_UNPARSED, N_DUPLICATE, COUNTS };
enum { EXAMPLES = 5, EXAMPLE_WIDTH = 160 };

typedef struct {
    Text source;
    i64 at, line, claimed, level;
    double value[METRICS];
} OpenBlock;

typedef struct {
    i64 line;
    Text text;
} Example;

/* What the meaning of a file's later lines depends on. */
typedef struct {
    u32 index, rotation; /* numbers that Python gave */
    i64 lines, counts[COUNTS], first, last; /* NO_TIME: no record yet */
    i64 skip;                                /* this many first lines stand in the part before */
    i64 inside;                              /* of a traceback, a JSON block, a bare metrics block */
    Text inside_block;
    VEC(OpenBlock) blocks;
    VEC(Example) examples;
    /* of template formats */
    i64 debug, established, up, hint_at;
    Text hint;
    RunningTasks ended; /* by how many had ended before */
    i64 ends;
    VEC(RunningTasks) seen; /* by template */
} File;

typedef struct {
    Worker *worker;
    VEC(u32) files, rotations;
    i64 known; /* some record was an event */
    u32 fed, pad; /* 1 + number of the file that fed it last */
    i64 steps; /* of connections, kept from the current file */
} Chain;

/* A line that Python reads again, for what is not folded here. */
typedef struct {
    u32 file, pad;
    i64 line;
    Text raw;
} Kept;
enum { MOST_STEPS = 4000, MOST_ACCEPTED = 50000, MOST_ENDED = 10000, MOST_SILENCES = 2000, MOST_KEPT_BYTES = 1 << 26 };

typedef struct {
    u32 rotation, file;
    i64 first, last, port, markers[MARKERS], counts[KINDS], starts_n, stops_n;
    Times starts, stops;
    VEC(Place) evidence;
    Spans silences;
    Span pause; /* (length, start) of the last one that a record ended; length 0: none, or it is among the silences */
    VEC(Kept) ended;
    i64 accepted_n, accepted_file; /* kept from that file */
} Coordinator;

typedef struct {
    Text source, name, line; /* the line of the first one */
    i64 by_file;             /* `source` is a coordinator's file number in `file` */
    u32 file, pad;
    i64 count, first, last, evidence_n;
    Place evidence[3];
} Security;

/* An event as a table wants it: which record it came from, and what it turned out to be. */
typedef struct {
    const Rec *rec;
    i64 at, line;
    Str source, cause, type;
    u64 claimed;
    double *claims; /* of a metrics block */
    u8 level, marker, also;
    int16_t event;
    Str name;
} Row;

typedef VEC(Row) Rows;

typedef struct {
    Shared shared;
    VEC(Chain) chains;
    VEC(Coordinator) coordinators;
    VEC(Security) security;
    VEC(Kept) kept;
    size_t kept_bytes;
    File file;
    Chain *here; /* the chain fed last in the current file, and */
    VEC(u32) in_file; /* all chains this file feeds */
    Index chain_at, in_file_at, security_at; /* by source, and by what security_feed() compares; rebuilt, never saved */
    u64 untrusted;
    int light; /* for a summary: sessions, tasks and markers only */
    Rows *rows; /* where a table wants its rows; the fold sleeps then */
    Arena *arena;
} Fleet;

Fleet *fleet_new(const double *rules, size_t rules_n);
void fleet_free(Fleet *f);
void fleet_begin(Fleet *f, u32 file, u32 rotation, i64 skip, u64 untrusted);
void fleet_chunk(Fleet *f, const Parser *parser, Chunk *chunk);
void fleet_end_file(Fleet *f, const Parser *parser);
void fleet_wire(Wire *w, Fleet *f);
u64 security_hash(Str name, int by_file, u32 file, Str source); /* of what makes two security events one finding */
#endif
