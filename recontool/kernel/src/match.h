/* Patterns of format files: a small backtracking matcher over bytes that decides as Python's re.fullmatch does.
 *
 * The programs are compiled from Python's own parse of the pattern (kernel/patterns.py).
 */
#ifndef RECON_MATCH_H
#define RECON_MATCH_H
#include "core.h"

/* OP_MARK is a SAVE that every way through the program passes, so that no way back has to undo it. */
enum { OP_SET, OP_LITERAL, OP_SAVE, OP_SPLIT, OP_JUMP, OP_END, OP_MARK };
/* How a set is repeated. BOUND: greedy, and what follows is no byte of it or the end, so there is no way back; ANYTHING:
 * all that is left, whatever it is. */
enum { GREEDY, LAZY, BOUND, ANYTHING };
#define MOST_GROUPS 16

typedef struct {
    VEC(u32) code;      /* SET set min max how | LITERAL at n | SAVE or MARK slot | SPLIT first then | JUMP to | END */
    VEC(u8) literals;
    VEC(u64) sets;      /* four words each */
    u32 groups;
} Program;

typedef struct {
    const u8 *from[MOST_GROUPS], *to[MOST_GROUPS]; /* NULL where the group took no part */
} Groups;

/* What matches looked at, from a text's start on: at each place the bytes that would have made every look come out as it
 * did. A text of the same length that has one of them at each place is taken the same way, whatever the pattern. */
enum { TRACED = 192 };
typedef struct {
    const u8 *text;
    u32 until;          /* nothing was looked at from here on */
    int ends;           /* where the text ends had a say, beyond that `.*` takes what is left */
    u64 may[TRACED][4]; /* bitmaps, as sets are */
} Trace;
void trace_from(Trace *t, const u8 *text);
/* Only bytes of `set` may stand there or, where `inside` is 0, only others. */
void trace_only(Trace *t, const u8 *p, const u64 *set, int inside);
void trace_same(Trace *t, const u8 *p, size_t n); /* these bytes may be no others */

int full_match(const Program *program, Str text, Groups *groups, Trace *trace); /* trace NULL: nobody wants one */
#endif
