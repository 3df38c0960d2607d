#include "times.h"

#include "text.h"

static const i64 SECOND_US = 1000000, FIRST_US = -62135596800000000, END_US = 253402300800000000; /* years 1 to 9999 */
static const i64 CYCLE = 12622780800;                                                            /* 400 years in seconds */
static const i64 TEN_TO[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
enum { ENDLESS = 1000000000, NO_DAY = -1000000000 };

i64 time_in_utc(const Parser *parser, Chunk *chunk, i64 wall_us) {
    if (LIKELY(parser->zone_n == 0)) return wall_us;
    i64 wall = wall_us / SECOND_US - (wall_us % SECOND_US < 0);
    if (UNLIKELY(chunk->zone_serial != parser->zone_serial || wall < chunk->zone_from || wall >= chunk->zone_until)) {
        i64 end = parser->zone[parser->zone_n - 1].from, cycles = wall < end ? 0 : (wall - end) / CYCLE + 1;
        i64 seen = wall - cycles * CYCLE;
        size_t low = 0, high = parser->zone_n - 1; /* the last step only says where the table ends */
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if (parser->zone[middle].from <= seen) low = middle;
            else high = middle;
        }
        chunk->zone_serial = parser->zone_serial, chunk->zone_ahead = parser->zone[low].ahead;
        chunk->zone_from = low == 0 ? INT64_MIN : parser->zone[low].from + cycles * CYCLE;
        chunk->zone_until = parser->zone[low + 1].from + cycles * CYCLE;
        if (cycles && chunk->zone_from < wall) chunk->zone_from = wall; /* where a cycle begins again is no step */
    }
    return wall_us - chunk->zone_ahead * SECOND_US;
}

/* 0.DIGITS times ten to the power of `point`. */
typedef struct {
    const u8 *p, *end; /* from the first to the last digit that is not 0, a point may stand between them */
    i64 n, point;      /* n digits; none is zero */
    int negative;
} Decimal;

static int decimal_of(Str text, Decimal *d) {
    const u8 *p = text.p, *end = p + text.n, *dot = NULL;
    *d = (Decimal){.negative = p < end && *p == '-'};
    p += d->negative;
    const u8 *from = p;
    for (; p < end && (digit(*p) || (*p == '.' && dot == NULL)); p++)
        if (*p == '.') dot = p;
    const u8 *stop = p;
    if (stop == from || dot == from || dot == stop - 1) return 0;
    i64 power = 0;
    if (p < end && (*p | 32) == 'e') {
        int down = ++p < end && *p == '-';
        p += p < end && (*p == '+' || *p == '-');
        if (p == end) return 0;
        for (; p < end && digit(*p); p++)
            if ((power = power * 10 + (*p - '0')) > ENDLESS) power = ENDLESS;
        if (down) power = -power;
    }
    if (p != end) return 0;
    if (dot == NULL) dot = stop;
    while (from < stop && (*from == '0' || *from == '.')) from++;
    while (stop > from && (stop[-1] == '0' || stop[-1] == '.')) stop--;
    d->p = from, d->end = stop;
    d->n = stop - from - (from < dot && dot < stop);
    d->point = power + (from <= dot ? dot - from : dot - from + 1);
    return 1;
}

/* The first `n` (at most 19) digits as a number. */
static u64 digits_of(const Decimal *d, i64 n) {
    u64 value = 0;
    const u8 *p = d->p;
    for (i64 i = 0; i < n; i++) {
        if (p < d->end && *p == '.') p++;
        value = value * 10 + (p < d->end ? *p++ - '0' : 0);
    }
    return value;
}

int whole_number(Str text, i64 *value) {
    Decimal d;
    if (!decimal_of(text, &d)) return 0;
    if (d.n == 0) return *value = 0, 1;
    if (d.n > d.point || d.point > 19) return 0;
    u64 magnitude = digits_of(&d, d.point);
    if (magnitude > (u64)INT64_MAX + (u64)d.negative) return 0;
    *value = d.negative ? (i64)(0 - magnitude) : (i64)magnitude;
    return 1;
}

/* Seconds until 5138, then ms, us, ns. */
static int since_1970(Str text, i64 *at_us) {
    Decimal d;
    *at_us = 0;
    if (!decimal_of(text, &d)) return 0;
    if (d.n == 0) return 1;
    i64 kept = d.point + (d.point <= 11 ? 6 : d.point <= 14 ? 3 : d.point <= 17 ? 0 : -3);
    if (d.negative || kept > 18) return 0;
    if (kept > 0) *at_us = (i64)digits_of(&d, kept);
    return 1;
}

/* `-?\d{1,19}(\.\d{1,18})?` */
static int looks_like_a_number(Str text) {
    const u8 *p = text.p, *end = p + text.n;
    p += p < end && *p == '-';
    const u8 *from = p;
    while (p < end && digit(*p)) p++;
    if (p == from || p - from > 19) return 0;
    if (p == end) return 1;
    from = p + 1;
    if (*p++ != '.') return 0;
    while (p < end && digit(*p)) p++;
    return p == end && p > from && p - from <= 18;
}

static int two_digits(const u8 *p, int most) {
    if (!digit(p[0]) || !digit(p[1])) return -1;
    int value = (p[0] - '0') * 10 + (p[1] - '0');
    return value <= most ? value : -1;
}

/* YYYY-MM-DD HH:MM without seconds. */
static int minute_of(const u8 *p, i64 *at_us) {
    int century = two_digits(p, 99), year = two_digits(p + 2, 99), month = two_digits(p + 5, 12), day = two_digits(p + 8, 31);
    int hour = two_digits(p + 11, 23), minute = two_digits(p + 14, 59);
    if (century < 0 || year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || p[4] != '-' || p[7] != '-' || p[13] != ':')
        return 0;
    i64 days = days_of(century * 100 + year, month, day);
    if (days == NO_DAY) return 0;
    *at_us = ((days * 24 + hour) * 60 + minute) * 60 * SECOND_US;
    return 1;
}

static int iso(const Parser *parser, Chunk *chunk, Str text, i64 *at_us) {
    const u8 *p = text.p, *end = p + text.n;
    if (text.n < 16 || (p[10] != 'T' && p[10] != ' ')) return 0;
    if (text.n >= 19 && p[16] == ':') {
        if (parse_second(chunk, p, p[10], at_us) != FOUND) return 0;
        p += 19;
        if (p < end && (*p == '.' || *p == ',')) {
            const u8 *from = ++p;
            i64 part = 0;
            for (; p < end && digit(*p); p++)
                if (p - from < 6) part = part * 10 + (*p - '0');
            i64 n = p - from;
            if (n < 1 || n > 9) return 0;
            *at_us += n < 6 ? part * TEN_TO[6 - n] : part;
        }
    } else {
        if (!minute_of(p, at_us)) return 0;
        p += 16;
    }
    p += p < end && *p == ' ';
    if (p == end) return *at_us = time_in_utc(parser, chunk, *at_us), 1;
    if ((*p | 32) == 'z') return p + 1 == end;
    if ((*p != '+' && *p != '-') || (end - p != 5 && end - p != 6) || (end - p == 6 && p[3] != ':')) return 0;
    int hours = two_digits(p + 1, 23), minutes = two_digits(end - 2, 59);
    if (hours < 0 || minutes < 0) return 0;
    i64 ahead = (hours * 60 + minutes) * 60 * SECOND_US;
    *at_us += *p == '-' ? ahead : -ahead;
    return 1;
}

int time_micros(const Parser *parser, Chunk *chunk, Str text, int number, i64 *at_us) {
    int found = LIKELY(!number && text.n >= 16 && text.p[4] == '-') ? iso(parser, chunk, text, at_us)
                : number || looks_like_a_number(text)                 ? since_1970(text, at_us)
                                                                      : iso(parser, chunk, text, at_us);
    return found && *at_us >= FIRST_US && *at_us < END_US;
}
