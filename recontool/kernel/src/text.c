#define _GNU_SOURCE
#include "text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SP(c) [c] = C_SPACE | C_STOP
#define D(c) [c] = C_DIGIT | C_NAME | C_SOURCE | C_WORD
#define L(c) [c] = C_LOWER | C_NAME | C_SOURCE | C_WORD
#define U(c) [c] = C_UPPER | C_SOURCE | C_WORD
const u8 CLASS[256] = {
    SP(' '), SP('\t'), SP('\n'), SP('\r'), SP('\v'), SP('\f'),
    ['"'] = C_STOP, ['='] = C_STOP, ['_'] = C_NAME | C_SOURCE | C_WORD, ['.'] = C_SOURCE, [':'] = C_SOURCE, ['-'] = C_SOURCE,
    D('0'), D('1'), D('2'), D('3'), D('4'), D('5'), D('6'), D('7'), D('8'), D('9'),
    L('a'), L('b'), L('c'), L('d'), L('e'), L('f'), L('g'), L('h'), L('i'), L('j'), L('k'), L('l'), L('m'),
    L('n'), L('o'), L('p'), L('q'), L('r'), L('s'), L('t'), L('u'), L('v'), L('w'), L('x'), L('y'), L('z'),
    U('A'), U('B'), U('C'), U('D'), U('E'), U('F'), U('G'), U('H'), U('I'), U('J'), U('K'), U('L'), U('M'),
    U('N'), U('O'), U('P'), U('Q'), U('R'), U('S'), U('T'), U('U'), U('V'), U('W'), U('X'), U('Y'), U('Z'),
};
const u8 NEEDLE[NEEDLES][64] __attribute__((aligned(64))) = {
    [A_SPACE] = {[0 ... 63] = ' '}, [A_QUOTE] = {[0 ... 63] = '"'}, [AN_EQUALS] = {[0 ... 63] = '='},
};

int parse_int(Str text, i64 *value) {
    const u8 *p = text.p, *end = p + text.n;
    int negative = p < end && *p == '-';
    p += negative;
    if (p == end || end - p > 19) return 0;
    u64 v = 0;
    for (; p < end; p++) {
        if (!digit(*p)) return 0;
        v = v * 10 + (*p - '0'); /* 19 digits fit 64 bits unsigned */
    }
    if (v > (u64)INT64_MAX + (u64)negative) return 0;
    *value = negative ? (i64)(0 - v) : (i64)v;
    return 1;
}

static double by_library(Str text) {
    static locale_t plain; /* a program may have set a decimal comma */
    if (plain == (locale_t)0) plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char small[64], *copy = text.n < sizeof small ? small : need(malloc((size_t)text.n + 1));
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    double value = strtod_l(copy, NULL, plain);
    if (copy != small) free(copy);
    return value;
}

double double_of(Str text) { return by_library(text); }

int parse_float(Str text, double *value) {
    static const double POWER[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const u8 *p = text.p, *end = p + text.n;
    int negative = p < end && *p == '-';
    p += negative;
    u64 mantissa = 0;
    int digits = 0, scale = 0;
    const u8 *from = p;
    for (; p < end && digit(*p); p++, digits++) mantissa = digits < 19 ? mantissa * 10 + (*p - '0') : mantissa;
    if (p == from) return 0;
    if (p < end && *p == '.') {
        from = ++p;
        for (; p < end && digit(*p); p++, digits++) mantissa = digits < 19 ? mantissa * 10 + (*p - '0') : mantissa;
        if (p == from) return 0;
        scale = p - from < 100 ? (int)(p - from) : 100;
    }
    if (p < end && (*p | 32) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        from = p;
        while (p < end && digit(*p)) p++;
        if (p == from) return 0;
        digits = 99; /* exponents are rare: the library reads them */
    }
    if (p != end) return 0;
    /* Both parts are exact doubles, so one division rounds correctly (Clinger). */
    double v = digits <= 15 && scale <= 22 ? (double)mantissa / POWER[scale] : fabs(by_library(text));
    if (!(v <= 1e15)) return 0;
    *value = negative ? -v : v;
    return 1;
}

i64 days_of(int year, int month, int day) {
    static const u8 LENGTH[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1) return -1000000000;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > LENGTH[month - 1] + (month == 2 && leap)) return -1000000000;
    int y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return (i64)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Half to even, exact: beyond 2^53 a double is whole. */
i128 round_far(double x) { return (i128)nearbyint(x); }

double rounded9(double x) {
    char digits[400]; /* printf is exact, so this is the nearest double of the nearest decimal */
    int n = snprintf(digits, sizeof digits, "%.9f", x);
    for (int i = 0; i < n; i++)
        if (digits[i] == ',') digits[i] = '.';
    return by_library((Str){(const u8 *)digits, (u32)n});
}

double ratio_far(i128 over, i128 under) {
    const i128 exact = (i128)1 << 53;
    if (over <= exact && over >= -exact && under <= exact && under >= -exact) return (double)(i64)over / (double)(i64)under;
    return (double)((__float128)over / (__float128)under);
}

Str trimmed(Str t) {
    while (t.n && space(t.p[0])) t.p++, t.n--;
    while (t.n && space(t.p[t.n - 1])) t.n--;
    return t;
}

/* Length of the well-formed sequence at p, or minus the length of its longest well-formed beginning. */
static int sequence(const u8 *p, const u8 *end) {
    u8 lead = *p, low = 0x80, high = 0xBF;
    if (lead < 0x80) return 1;
    int more = lead < 0xC2 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : 0;
    if (!more) return -1;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (int i = 1; i <= more; i++) {
        if (p + i == end || p[i] < low || p[i] > high) return -i;
        low = 0x80, high = 0xBF;
    }
    return more + 1;
}

int utf8_valid(Str text) {
    const u8 *p = text.p, *end = p + text.n;
    while (p < end) {
        if (end - p >= 8 && !(load64(p) & 0x8080808080808080u)) {
            p += 8;
            continue;
        }
        int n = sequence(p, end);
        if (n < 0) return 0;
        p += n;
    }
    return 1;
}

Str utf8_shown(Str text, Arena *arena) {
    if (utf8_valid(text)) return text;
    u8 *out = arena_take(arena, (size_t)text.n * 3), *to = out;
    const u8 *p = text.p, *end = p + text.n;
    while (p < end) {
        int n = sequence(p, end);
        if (n > 0) {
            memcpy(to, p, (size_t)n);
            to += n, p += n;
        } else {
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3, p -= n;
        }
    }
    return (Str){out, (u32)(to - out)};
}

static int hex4(const u8 *p, const u8 *end, u32 *value) {
    if (end - p < 4) return 0;
    u32 v = 0;
    for (int i = 0; i < 4; i++) {
        u8 c = p[i];
        int d = digit(c) ? c - '0' : (u8)((c | 32) - 'a') < 6 ? (c | 32) - 'a' + 10 : -1;
        if (d < 0) return 0;
        v = v * 16 + (u32)d;
    }
    *value = v;
    return 1;
}

u8 *put_utf8(u8 *to, u32 c) {
    if (c < 0x80) {
        *to++ = (u8)c;
    } else if (c < 0x800) {
        *to++ = (u8)(0xC0 | c >> 6), *to++ = (u8)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (u8)(0xE0 | c >> 12), *to++ = (u8)(0x80 | (c >> 6 & 63)), *to++ = (u8)(0x80 | (c & 63));
    } else {
        *to++ = (u8)(0xF0 | c >> 18), *to++ = (u8)(0x80 | (c >> 12 & 63));
        *to++ = (u8)(0x80 | (c >> 6 & 63)), *to++ = (u8)(0x80 | (c & 63));
    }
    return to;
}

int json_text(Str inside, Arena *arena, Str *text) {
    const u8 *p = inside.p, *end = p + inside.n;
    while (p < end && *p != '\\' && *p >= 0x20) p++;
    if (p == end) {
        *text = inside;
        return 1;
    }
    u8 *out = arena_take(arena, (size_t)inside.n * 3), *to = out;
    memcpy(to, inside.p, (size_t)(p - inside.p));
    to += p - inside.p;
    while (p < end) {
        if (*p < 0x20) return 0;
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        if (++p == end) return 0;
        static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
        const char *simple = *p ? strchr(FROM, *p) : NULL;
        u32 c, low;
        if (simple != NULL) {
            *to++ = (u8)TO[simple - FROM];
            p++;
        } else if (*p == 'u' && hex4(p + 1, end, &c)) {
            p += 5;
            if (c >= 0xD800 && c < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' && hex4(p + 2, end, &low) &&
                low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                p += 6;
            } else if (c >= 0xD800 && c < 0xE000) {
                c = 0xFFFD; /* half a pair is no text */
            }
            to = put_utf8(to, c);
        } else {
            return 0;
        }
    }
    *text = (Str){out, (u32)(to - out)};
    return 1;
}
