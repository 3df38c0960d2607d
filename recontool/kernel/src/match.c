#include "match.h"

typedef struct {
    const Program *program;
    const u8 *end;
    const u8 *at[2 * MOST_GROUPS];
} Run;

static inline int in_set(const u64 *set, u8 c) { return (int)(set[c >> 6] >> (c & 63) & 1); }

static int match_from(Run *run, u32 pc, const u8 *p);

/* One set, between `least` and `most` times, then the rest of the program. */
static int repeat(Run *run, const u32 *op, u32 next, const u8 *p) {
    const u64 *set = run->program->sets.p + 4 * (size_t)op[1];
    size_t least = op[2], most = op[3], room = (size_t)(run->end - p), n = 0;
    if (most > room) most = room;
    if (least > room) return 0;
    if (op[4] == LAZY) { /* as few as will do */
        for (; n < least; n++)
            if (!in_set(set, p[n])) return 0;
        for (;; n++) {
            if (match_from(run, next, p + n)) return 1;
            if (n >= most || !in_set(set, p[n])) return 0;
        }
    }
    while (n < most && in_set(set, p[n])) n++;
    if (n < least) return 0;
    const u32 *after = run->program->code.p + next;
    while (after[0] == OP_SAVE || after[0] == OP_MARK) after += 2;
    int literal = after[0] == OP_LITERAL ? run->program->literals.p[after[1]] : -1;
    for (;; n--) {
        if ((literal < 0 || (n < room && p[n] == literal)) && match_from(run, next, p + n)) return 1;
        if (n == least) return 0;
    }
}

static int match_from(Run *run, u32 pc, const u8 *p) {
    for (;;) {
        const u32 *op = run->program->code.p + pc;
        switch (op[0]) {
        case OP_LITERAL:
            if ((size_t)(run->end - p) < op[2] || *p != run->program->literals.p[op[1]]) return 0;
            if (op[2] > 1 && memcmp(p, run->program->literals.p + op[1], op[2]) != 0) return 0;
            p += op[2], pc += 3;
            break;
        case OP_SET:
            if (op[2] == 1 && op[3] == 1) { /* no choice, so no way back */
                if (p == run->end || !in_set(run->program->sets.p + 4 * (size_t)op[1], *p)) return 0;
                p++, pc += 5;
                break;
            }
            if (op[4] == ANYTHING) {
                if ((size_t)(run->end - p) < op[2]) return 0;
                p = run->end, pc += 5;
                break;
            }
            if (op[4] == BOUND) {
                const u64 *set = run->program->sets.p + 4 * (size_t)op[1];
                size_t room = (size_t)(run->end - p), n = 0, most = op[3] < room ? op[3] : room;
                while (n < most && in_set(set, p[n])) n++;
                if (n < op[2]) return 0;
                p += n, pc += 5;
                break;
            }
            if (op[4] == LAZY || op[2] != op[3]) return repeat(run, op, pc + 5, p);
            if ((size_t)(run->end - p) < op[2]) return 0;
            for (const u8 *stop = p + op[2]; p < stop; p++)
                if (!in_set(run->program->sets.p + 4 * (size_t)op[1], *p)) return 0;
            pc += 5;
            break;
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
            return p == run->end;
        }
    }
}

int full_match(const Program *program, Str text, Groups *groups) {
    Run run = {.program = program, .end = text.p + text.n};
    memset(run.at, 0, sizeof run.at);
    if (!match_from(&run, 0, text.p)) return 0;
    for (u32 i = 0; i < program->groups; i++) groups->from[i] = run.at[2 * i], groups->to[i] = run.at[2 * i + 1];
    return 1;
}
