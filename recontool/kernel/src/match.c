#include "match.h"

typedef struct {
    const Program *program;
    const u8 *end;
    Trace *trace;
    int rest; /* the text's end was reached by taking all that is left */
    const u8 *at[2 * MOST_GROUPS];
} Run;

static inline int in_set(const u64 *set, u8 c) { return (int)(set[c >> 6] >> (c & 63) & 1); }

void trace_from(Trace *t, const u8 *text) {
    t->text = text, t->until = 0, t->ends = 0;
    memset(t->may, 0xFF, sizeof t->may);
}

void trace_only(Trace *t, const u8 *p, const u64 *set, int inside) {
    size_t at = (size_t)(p - t->text);
    if (at >= t->until) t->until = (u32)at + 1;
    if (at >= TRACED) return;
    for (int i = 0; i < 4; i++) t->may[at][i] &= inside ? set[i] : ~set[i];
}

static void trace_one(Trace *t, const u8 *p, u8 c, int is_it) {
    u64 one[4] = {0};
    one[c >> 6] = 1ull << (c & 63);
    trace_only(t, p, one, is_it);
}

void trace_same(Trace *t, const u8 *p, size_t n) {
    for (size_t i = 0; i < n; i++) trace_one(t, p + i, p[i], 1);
}

/* How many bytes from p on are of the set, `most` at most. */
static inline size_t span(Run *run, const u64 *set, const u8 *p, size_t most) {
    size_t room = (size_t)(run->end - p), n = 0, stop = most < room ? most : room;
    while (n < stop && in_set(set, p[n])) n++;
    if (UNLIKELY(run->trace != NULL)) {
        for (size_t i = 0; i < n; i++) trace_only(run->trace, p + i, set, 1);
        if (n < stop) trace_only(run->trace, p + n, set, 0);
        else if (stop < most) run->trace->ends = 1;
    }
    return n;
}

/* Whether there are `least` bytes from p on. */
static inline int enough(Run *run, const u8 *p, size_t least) {
    if (LIKELY((size_t)(run->end - p) >= least)) return 1;
    if (run->trace != NULL) run->trace->ends = 1;
    return 0;
}

/* Whether the text goes on with the `n` bytes. */
static inline int goes_on(Run *run, const u8 *p, const u8 *with, size_t n) {
    if (!enough(run, p, n)) return 0;
    int same = *p == *with && (n == 1 || memcmp(p, with, n) == 0);
    if (UNLIKELY(run->trace != NULL)) {
        size_t i = 0;
        while (i < n && p[i] == with[i]) i++;
        trace_same(run->trace, p, i);
        if (i < n) trace_one(run->trace, p + i, with[i], 0);
    }
    return same;
}

static int match_from(Run *run, u32 pc, const u8 *p);

/* One set, between `least` and `most` times, then the rest of the program. */
static int repeat(Run *run, const u32 *op, u32 next, const u8 *p) {
    const u64 *set = run->program->sets.p + 4 * (size_t)op[1];
    size_t least = op[2], most = op[3];
    if (!enough(run, p, least)) return 0;
    if (op[4] == LAZY) { /* as few as will do */
        size_t n = span(run, set, p, least);
        if (n < least) return 0;
        for (;; n++) {
            if (match_from(run, next, p + n)) return 1;
            if (n >= most || !span(run, set, p + n, 1)) return 0;
        }
    }
    size_t n = span(run, set, p, most);
    if (n < least) return 0;
    const u32 *after = run->program->code.p + next;
    while (after[0] == OP_SAVE || after[0] == OP_MARK) after += 2;
    const u8 *literal = after[0] == OP_LITERAL ? &run->program->literals.p[after[1]] : NULL;
    for (;; n--) {
        if ((literal == NULL || goes_on(run, p + n, literal, 1)) && match_from(run, next, p + n)) return 1;
        if (n == least) return 0;
    }
}

static int match_from(Run *run, u32 pc, const u8 *p) {
    for (;;) {
        const u32 *op = run->program->code.p + pc;
        switch (op[0]) {
        case OP_LITERAL:
            if (!goes_on(run, p, run->program->literals.p + op[1], op[2])) return 0;
            p += op[2], pc += 3;
            break;
        case OP_SET: {
            if (op[4] == ANYTHING) {
                if (!enough(run, p, op[2])) return 0;
                if (UNLIKELY(run->trace != NULL && op[2] > 1)) run->trace->ends = 1; /* a text that has any has one */
                p = run->end, run->rest = 1, pc += 5;
                break;
            }
            if (op[4] == LAZY || (op[2] != op[3] && op[4] != BOUND)) return repeat(run, op, pc + 5, p); /* there may be a way back */
            size_t n = span(run, run->program->sets.p + 4 * (size_t)op[1], p, op[3]);
            if (n < op[2]) return 0;
            p += n, pc += 5;
            break;
        }
        case OP_MARK:
            run->at[op[1]] = p;
            pc += 2;
            break;
        case OP_SAVE: {
            const u8 *before = run->at[op[1]];
            run->at[op[1]] = p;
            if (match_from(run, pc + 2, p)) return 1;
            run->at[op[1]] = before;
            return 0;
        }
        case OP_SPLIT:
            if (match_from(run, op[1], p)) return 1;
            pc = op[2];
            break;
        case OP_JUMP:
            pc = op[1];
            break;
        default:
            if (UNLIKELY(run->trace != NULL && p == run->end && !run->rest)) run->trace->ends = 1;
            return p == run->end;
        }
    }
}

int full_match(const Program *program, Str text, Groups *groups, Trace *trace) {
    Run run = {.program = program, .end = text.p + text.n, .trace = trace};
    memset(run.at, 0, sizeof run.at);
    if (!match_from(&run, 0, text.p)) return 0;
    for (u32 i = 0; i < program->groups; i++) groups->from[i] = run.at[2 * i], groups->to[i] = run.at[2 * i + 1];
    return 1;
}
