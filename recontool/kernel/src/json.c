/* JSON as json.loads takes it, without making anything of it: where a value ends, and whether it is one. */
#include "structured.h"
#include "text.h"

enum { MOST_DEPTH = 100 }; /* as logs/pairs.py */
static const u64 ONES = 0x0101010101010101u, HIGHS = 0x8080808080808080u;

static inline u64 has(u64 word, u8 byte) {
    u64 x = word ^ (ONES * byte);
    return (x - ONES) & ~x & HIGHS;
}

static int is_hex(u8 c) { return digit(c) || (u8)((c | 32) - 'a') < 6; }

const u8 *json_string(const u8 *p, const u8 *end, Value *value) {
    const u8 *from = p;
    value->kind = V_TEXT, value->escaped = 0;
    for (;;) {
        u64 word = load64(p), stop = has(word, '"') | has(word, '\\') | ((word - ONES * 0x20) & ~word & HIGHS);
        while (!stop) { /* the lowest bit that is set is right; behind the end of the line stands its end, a control */
            p += 8, word = load64(p);
            if (p >= end) return NULL;
            stop = has(word, '"') | has(word, '\\') | ((word - ONES * 0x20) & ~word & HIGHS);
        }
        p += __builtin_ctzll(stop) >> 3;
        if (p >= end) return NULL;
        if (LIKELY(*p == '"')) break;
        if (*p != '\\' || end - p < 3) return NULL;
        value->escaped = 1;
        u8 c = p[1];
        p += 2;
        if (c == 'u') {
            if (end - p < 4 || !is_hex(p[0]) || !is_hex(p[1]) || !is_hex(p[2]) || !is_hex(p[3])) return NULL;
            p += 4;
        } else if (c == 0 || strchr("\"\\/bfnrt", c) == NULL) {
            return NULL;
        }
    }
    value->s = (Str){from, (u32)(p - from)};
    return p + 1;
}

static const u8 *number(const u8 *p, const u8 *end) {
    p += *p == '-';
    if (p == end || !digit(*p)) return NULL;
    if (*p == '0') p++;
    else while (p < end && digit(*p)) p++;
    if (end - p >= 2 && *p == '.' && digit(p[1]))
        for (p++; p < end && digit(*p); p++) {}
    if (p < end && (*p | 32) == 'e') {
        const u8 *q = p + 1;
        q += q < end && (*q == '+' || *q == '-');
        if (q < end && digit(*q))
            for (p = q; p < end && digit(*p); p++) {}
    }
    return p;
}

/* Behind the bracket that opens an object or a list, to behind the one that closes it. */
static const u8 *nested(const u8 *p, const u8 *end, u8 closing, int depth) {
    Value skipped;
    if (depth > MOST_DEPTH) return NULL;
    p = json_space(p, end);
    if (p < end && *p == closing) return p + 1;
    while (p < end) {
        if (closing == '}') {
            if (*p != '"' || (p = json_string(p + 1, end, &skipped)) == NULL) return NULL;
            p = json_space(p, end);
            if (p == end || *p != ':') return NULL;
            p = json_space(p + 1, end);
        }
        if ((p = json_value(p, end, &skipped, depth)) == NULL) return NULL;
        p = json_space(p, end);
        if (p < end && *p == closing) return p + 1;
        if (p == end || *p != ',') return NULL;
        p = json_space(p + 1, end);
    }
    return NULL;
}

const u8 *json_value(const u8 *p, const u8 *end, Value *value, int depth) {
    const u8 *from = p;
    if (p >= end) return NULL;
    if (*p == '"') return json_string(p + 1, end, value);
    size_t room = (size_t)(end - p);
    if (*p == '{' || *p == '[') value->kind = V_NESTED, p = nested(p + 1, end, *p == '{' ? '}' : ']', depth + 1);
    else if (*p == 't') value->kind = V_TRUTH, p = room >= 4 && memcmp(p, "true", 4) == 0 ? p + 4 : NULL;
    else if (*p == 'f') value->kind = V_TRUTH, p = room >= 5 && memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
    else if (*p == 'n') value->kind = V_NULL, p = room >= 4 && memcmp(p, "null", 4) == 0 ? p + 4 : NULL;
    else value->kind = V_NUMBER, p = number(p, end);
    value->escaped = 0;
    if (p != NULL) value->s = (Str){from, (u32)(p - from)};
    return p;
}

int json_member(Members *m, Value *key, Value *value) {
    const u8 *p = json_space(m->p, m->end), *end = m->end;
    if (p < end && *p == '}') return p + 1 == end ? 0 : -1;
    if (m->begun) {
        if (p >= end || *p != ',') return -1;
        p = json_space(p + 1, end);
    }
    if (p >= end || *p != '"' || (p = json_string(p + 1, end, key)) == NULL) return -1;
    p = json_space(p, end);
    if (p >= end || *p != ':') return -1;
    m->p = json_value(json_space(p + 1, end), end, value, 0), m->begun = 1;
    return m->p == NULL ? -1 : 1;
}
