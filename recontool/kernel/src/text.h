/* Numbers, times and text out of bytes, by the rules of logs/grammar.py. */
#ifndef RECON_TEXT_H
#define RECON_TEXT_H
#include "core.h"

extern const u8 CLASS[256]; /* bits below */
enum { C_SPACE = 1, C_DIGIT = 2, C_LOWER = 4, C_UPPER = 8, C_NAME = 16, C_SOURCE = 32, C_STOP = 64, C_WORD = 128 };

/* 64 of the same, for vectors: from memory, where the compiler would build each anew for every line. */
enum { A_SPACE, A_QUOTE, AN_EQUALS, NEEDLES };
extern const u8 NEEDLE[NEEDLES][64];

static inline int space(u8 c) { return CLASS[c] & C_SPACE; }
static inline int digit(u8 c) { return (u8)(c - '0') < 10; }

int parse_int(Str text, i64 *value);     /* 1 when `text` is an int of 64 bits */
int parse_float(Str text, double *value); /* 1 when it is a number of at most 1e15 */
i64 days_of(int year, int month, int day); /* since 1970-01-01, -1e9 when no such date exists */
i128 round_far(double x);
/* As Python's round(). */
static inline i128 round_even(double x) {
    static const double WHOLE = 6755399441055744.0, MOST = 1e15; /* near 1.5 * 2^52 a double has no fraction */
    return LIKELY(x > -MOST && x < MOST) ? (i64)(x + WHOLE - WHOLE) : round_far(x);
}
/* What the compiler takes a call for, where it does not know that the number is small. */
static inline double double_of_i128(i128 x) { return LIKELY(x == (i64)x) ? (double)(i64)x : (double)x; }
double rounded9(double x);                /* as Python's round(x, 9) */
double ratio_far(i128 over, i128 under);
/* As Python's int / int. */
static inline double ratio(i128 over, i128 under) {
    return LIKELY((unsigned __int128)(over | under) >> 53 == 0) ? (double)(i64)over / (double)(i64)under : ratio_far(over, under);
}
Str trimmed(Str text);                   /* without ASCII white space at both ends, as bytes.strip() */
double double_of(Str text);              /* as the C library reads it, with a point whatever the locale */
int utf8_valid(Str text);
Str utf8_shown(Str text, Arena *arena);  /* what is no UTF-8 becomes U+FFFD, as decode("utf-8", "replace") */
u8 *put_utf8(u8 *to, u32 c); /* writes one character; returns what follows it */
/* The inside of a JSON string; 0 when json.loads would refuse it. */
int json_text(Str inside, Arena *arena, Str *text);
#endif
