/* The vocabulary and the formats, handed over by Python as tables: the kernel repeats no field, event or label. */
#ifndef RECON_VOCAB_H
#define RECON_VOCAB_H
#include "core.h"
#include "match.h"

enum Type { T_STR, T_INT, T_FLOAT, T_BOOL };
enum Level { L_DEBUG, L_INFO, L_WARNING, L_ERROR, L_CRITICAL };
enum Marker { M_NONE, M_CONNECT, M_RECONNECT, M_SYNC, M_CHECKPOINT, M_TASK, M_SECURITY, M_COMPRESS, MARKERS };

/* What an event does to a fold; K_OTHER events only count. */
enum Kind {
    K_NONE, K_OTHER, K_ATTEMPT, K_ATTEMPT_FAILED, K_ESTABLISHED, K_CLOSED, K_LOST, K_GAVE_UP, K_TASK_STARTED,
    K_TASK_COMPLETED, K_TASK_FAILED, K_TASK_CANCELLED, K_CREATED, K_RESTORED, K_COMPRESSED, K_DECOMPRESSED, K_SENT,
    K_RECEIVED, K_ACKED, K_MESSAGE_ERROR, K_CONFIG, K_PROCESS_STARTED, K_PROCESS_STOPPING, K_METRICS, K_BLOCK, K_STATUS, K_ACCEPTED,
    K_DISCONNECTED, K_AUTH_FAILED, K_SUBMITTED, K_ASSIGNED, K_APPLIED, K_DUPLICATE, KINDS
};

/* Where a fold wants a field of an event to be. */
enum Slot { S_SKIP, S_TEXT, S_MORE_TEXT, S_A, S_B, S_X, S_HEARTBEAT, S_DEBUG, S_METRIC };

/* Metrics a process may claim, in the order of `METRIC_NAMES`. */
enum Metric {
    C_ATTEMPTS, C_ESTABLISHED, C_AVG_RECONNECT, C_MAX_RECONNECT, C_STABILITY, C_SENT, C_RECEIVED, C_LATENCY, C_SIZE,
    C_ERRORS, C_EXECUTED, C_SUCCESS, C_TASK_TIME, C_CREATED, C_RESTORED, C_RATIO, C_COMPRESS, C_DECOMPRESS,
    C_RECONNECTIONS, C_PER_MINUTE, C_FAILED, C_FAILED_TOTAL, C_LATENCY_ALIAS, C_UPTIME, C_QUEUE, C_ACKED, METRICS
};
extern const char *const METRIC_NAMES[METRICS];

#define MOST_FIELDS 128

typedef struct {
    Text name;
    u8 type;
    int metric; /* -1 when it is none */
} Field;

typedef struct {
    Text name;
    u8 marker, kind, moves;
    u8 hidden; /* only templates make it: no tagged line names it */
    u8 slot[MOST_FIELDS];
} EventRow;

typedef struct {
    Text name;
    u8 moves; /* the alert metrics that an event of this name may move, one bit each */
} Moved;

typedef struct {
    Text text;
    int metric;
    u8 unit; /* of the catalogue: U_MS, U_S or U_OTHER */
} Label;
enum { U_OTHER, U_MS, U_S };

typedef struct {
    Text name; /* in small letters */
    u8 level;
} LevelName;

/* A slot of an open hash table: names are compared by their first and last eight bytes before anything else. */
enum { NAMED = 1024 };
typedef struct {
    u64 head, tail;
    u32 n;         /* 0 where the slot is empty */
    int16_t index, marker;
} Named;

typedef struct {
    VEC(Field) fields;
    VEC(EventRow) events;
    VEC(Moved) moved;
    VEC(Label) labels;
    VEC(LevelName) levels;
    Named field_at[NAMED], event_at[NAMED];
} Vocab;

Vocab *vocab_new(const char *table); /* NULL when the table names something the kernel does not know */
void vocab_free(Vocab *v);
/* Index or -1; eight bytes from the start of the name must be readable, as they are in every chunk. */
int vocab_field(const Vocab *v, Str name);
int vocab_event(const Vocab *v, int marker, Str name);  /* index, -1 when no tagged line may name it */
int vocab_named(const Vocab *v, Str name); /* as vocab_field, for names that stand anywhere */
u8 vocab_moves(const Vocab *v, Str name);
int marker_of(Str name); /* 0 when it is none */
const char *marker_name(int marker);
const char *level_name(int level);
u8 vocab_level(const Vocab *v, Str word); /* whatever its case; INFO where nobody knows it */

typedef struct {
    int event;          /* of the vocabulary, -1: the line is known and no event */
    int marker, kind;
    u8 moves;
    Text cause, type;   /* fixed fields */
    u8 heartbeat;       /* its fixed type is heartbeat */
    u8 session;         /* the marker is CONNECT until the first established, RECONNECT after it */
} Emit;

typedef struct {
    Text logger, starts;
    u64 head, head_mask; /* the first eight bytes of `starts` */
    int program;
    Emit emit, then, also;
    Text cause_hint;
    int even; /* group that must be even, -1 */
    u8 unless_debug, after_start, while_down;
    int16_t field_of[MOST_GROUPS]; /* field a group becomes, -1 */
    int task; /* group that names the task, -1 */
    int seen; /* templates with the same `starts` share what they have seen */
} Template;

typedef struct {
    int program, second, milli, level, logger, text;
} Shape;

/* The templates of one logger, in order. */
typedef struct {
    Text name;
    VEC(u16) rows;
} Logger;

typedef struct {
    int templates; /* 0: lines follow the tagged grammar */
    VEC(Program) programs;
    VEC(Shape) shapes;
    VEC(Template) rows;
    VEC(Logger) loggers;
    u64 untrusted; /* metrics that a block only claims */
    u64 serial;    /* no other format of this process has it */
    struct Structured *structured; /* NULL: lines are no JSON and no logfmt */
} Format;

Format *format_new(const Vocab *v, const char *table);
void format_free(Format *f);
#endif
