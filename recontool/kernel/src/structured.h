/* JSON lines and logfmt: the compiled twin of logs/pairs.py, logs/times.py and logs/structured.py. */
#ifndef RECON_STRUCTURED_H
#define RECON_STRUCTURED_H
#include "parse.h"

typedef enum { G_TIME, G_LEVEL, G_SOURCE, G_MARKER, G_EVENT, G_TEXT, GROUPS } Group;
enum { MOST_ROLES = 32 };

/* A key that means something: its place among the keys that are asked for (-1: none), and the field of its name. */
typedef struct {
    u64 head, tail;
    u32 n; /* 0 where the slot is empty */
    int16_t role, field;
    Text name;
} Known;

/* Which key means what, handed over by Python. */
typedef struct Structured {
    int logfmt;
    Known known[NAMED];
    u8 first[GROUPS + 1]; /* the roles of a group stand in order of preference */
    int16_t field_of[MOST_ROLES];
    u32 starts[MOST_ROLES][L_CRITICAL + 1]; /* by role: the number a level begins at */
    VEC(u8) syslog;                          /* levels by number, */
    int syslog_role;                         /* under this key */
} Structured;

Structured *structured_new(const Vocab *v, const char *table);
void structured_free(Structured *s);
/* How a line was taken: FOUND, NO_HEADER or BAD; `header` the same of its time and source alone. */
int structured_line(const Parser *parser, Chunk *chunk, Str line, Rec *rec, int *header);

enum { V_NULL, V_TEXT, V_NUMBER, V_TRUTH, V_NESTED };
typedef struct {
    Str s; /* text in quotes without them, everything else as it stands */
    u8 kind, escaped;
} Value;

/* The string, or any value, that begins at p (a string: behind its quote): what follows it; NULL where JSON would not
 * have it. */
const u8 *json_string(const u8 *p, const u8 *end, Value *value);
const u8 *json_value(const u8 *p, const u8 *end, Value *value, int depth);
/* The members of an object one by one: from behind its bracket to the end of the text it must end with. */
typedef struct {
    const u8 *p, *end;
    int begun;
} Members;
int json_member(Members *members, Value *key, Value *value); /* 1: here is one; 0: that was all; -1: it is no JSON */
static inline const u8 *json_space(const u8 *p, const u8 *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    return p;
}
#endif
