/* Rows of a table as CSV or NDJSON, byte for byte as api/table.py writes them by Python's csv and json. */
#include "write.h"

#include <math.h>
#include <stdio.h>

#include "table.h"
#include "text.h"

/* --- numbers and text as Python shows them ------------------------------------------------------------------ */

static void write_int(Text *out, i64 value) {
    u8 digits[24], *p = digits + sizeof digits;
    u64 rest = value < 0 ? 0 - (u64)value : (u64)value;
    do *--p = (u8)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) *--p = '-';
    text_add(out, p, (size_t)(digits + sizeof digits - p));
}

/* One more in the last of `n` digits `d.ddd`. */
static void increment(char *digits, int n) {
    for (int i = n; i >= 0; i--) {
        if (digits[i] < '0' || digits[i] > '9') continue;
        if (digits[i]++ != '9') return;
        digits[i] = '0';
    }
}

/* The fewest digits that read back as x > 0: their number; `exponent` is that of the first one. */
static int shortest(double x, char *digits, int *exponent) {
    char text[40];
    int precision, binary;
    for (precision = x < 1e-307 ? 1 : 15;; precision++) { /* 17 always do; the smallest doubles have fewer than 15 */
        int n = snprintf(text, sizeof text, "%.*e", precision - 1, x);
        if (precision > 1) text[1] = '.'; /* whatever the locale has there */
        if (double_of((Str){(const u8 *)text, (u32)n}) == x) break;
        /* Above a power of two doubles stand twice as far apart: the next one up may do where the nearest does not. */
        if (precision == 16 && frexp(x, &binary) == 0.5) {
            increment(text, precision);
            if (double_of((Str){(const u8 *)text, (u32)n}) == x) break;
        }
    }
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, (size_t)precision - 1);
    *exponent = atoi(text + precision + (precision > 1) + 1);
    while (precision > 1 && digits[precision - 1] == '0') precision--;
    return precision;
}

void write_float(Text *out, double x) {
    static const double POWER[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    if (signbit(x)) VEC_PUSH(*out, '-');
    x = fabs(x);
    for (int k = 0; k <= 6 && x < 1e9; k++) { /* at most 15 digits: no other such decimal reads back as x */
        double scaled = nearbyint(x * POWER[k]);
        if (scaled / POWER[k] != x) continue;
        if (scaled != 0 && x < 1e-4) break; /* with an exponent */
        u64 whole = (u64)scaled, unit = (u64)POWER[k];
        write_int(out, (i64)(whole / unit));
        VEC_PUSH(*out, '.');
        if (k == 0) VEC_PUSH(*out, '0');
        for (whole %= unit; (unit /= 10) != 0; whole %= unit) VEC_PUSH(*out, (u8)('0' + whole / unit));
        return;
    }
    char digits[20], tail[16];
    int exponent, n = shortest(x, digits, &exponent);
    if (exponent < -4 || exponent >= 16) {
        VEC_PUSH(*out, (u8)digits[0]);
        if (n > 1) VEC_PUSH(*out, '.');
        text_add(out, digits + 1, (size_t)n - 1);
        text_add(out, tail, (size_t)snprintf(tail, sizeof tail, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent)));
        return;
    }
    for (int at = exponent < 0 ? exponent : 0; at < n || at <= exponent + 1; at++) {
        if (at == exponent + 1) VEC_PUSH(*out, '.');
        VEC_PUSH(*out, (u8)(at >= 0 && at < n ? digits[at] : '0'));
    }
}

static const u8 *one_character(const u8 *p, u32 *c) {
    int more = *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : 3;
    *c = *p & (0x3F >> more);
    for (p++; more--; p++) *c = *c << 6 | (*p & 63);
    return p;
}

static void write_unit(Text *out, u32 unit) {
    char escaped[8];
    text_add(out, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", unit & 0xFFFF));
}

void write_json_text(Text *out, Str s) {
    static const char NAMED_AS[] = "btn\0fr"; /* from \b to \r */
    VEC_ROOM(*out, s.n + 2);
    VEC_PUSH(*out, '"');
    for (const u8 *p = s.p, *end = p + s.n; p < end;) {
        const u8 *from = p;
        while (p < end && *p >= ' ' && *p < 0x7F && *p != '"' && *p != '\\') p++;
        text_add(out, from, (size_t)(p - from));
        if (p == end) break;
        u32 c = *p;
        if (c == '"' || c == '\\' || (c >= '\b' && c <= '\r' && c != '\v')) {
            VEC_PUSH(*out, '\\');
            VEC_PUSH(*out, (u8)(c >= ' ' ? c : (u8)NAMED_AS[c - '\b']));
            p++;
        } else if (c < 0x80) {
            write_unit(out, c);
            p++;
        } else {
            p = one_character(p, &c);
            if (c >= 0x10000) write_unit(out, 0xD7C0 + (c >> 10)), c = 0xDC00 | (c & 0x3FF);
            write_unit(out, c);
        }
    }
    VEC_PUSH(*out, '"');
}

static void write_csv_text(Text *out, Str s) {
    u32 i = 0;
    while (i < s.n && s.p[i] != ',' && s.p[i] != '"' && s.p[i] != '\n' && s.p[i] != '\r') i++;
    if (i == s.n) {
        text_add(out, s.p, s.n);
        return;
    }
    VEC_PUSH(*out, '"');
    for (i = 0; i < s.n; i++) {
        if (s.p[i] == '"') VEC_PUSH(*out, '"');
        VEC_PUSH(*out, s.p[i]);
    }
    VEC_PUSH(*out, '"');
}

/* --- rows --------------------------------------------------------------------------------------------------- */

enum { AT = -7, LEVEL, SOURCE, MARKER, EVENT, FILE_NAME, LINE }; /* columns that are no field, as kernel/writing.py */

typedef struct {
    Text name; /* as a key of NDJSON, with its colon */
    int column;
} Asked;

typedef struct {
    int csv;
    VEC(Asked) columns;
    Text file, out;
    i64 day; /* whose date was written last */
    char date[16];
    int date_n;
} Writer;

static void write_text(Writer *w, Str s) {
    if (w->csv) write_csv_text(&w->out, s);
    else write_json_text(&w->out, s);
}

static void write_word(Writer *w, const char *word) { write_text(w, (Str){(const u8 *)word, (u32)strlen(word)}); }

static void digits_to(char *p, int width, i64 value) {
    for (p += width; width--; value /= 10) *--p = (char)('0' + value % 10);
}

/* The day as a date: the inverse of days_of(), by the same author's algorithm (H. Hinnant, civil_from_days). */
static void date_of(Writer *w, i64 day) {
    i64 z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    i64 year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    i64 of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    i64 first = (153 * month + 2) / 5;
    year += era * 400 + (month >= 10);
    w->day = day;
    /* Years before 1000 without zeros in front, as strftime writes them here. */
    w->date_n = snprintf(w->date, sizeof w->date, "%d-%02d-%02d", (int)year, (int)(month < 10 ? month + 3 : month - 9),
                         (int)(of_year - first + 1));
}

static void write_time(Writer *w, i64 at_us) {
    const i64 DAY_US = 86400000000;
    i64 day = at_us / DAY_US - (at_us % DAY_US < 0), rest = at_us - day * DAY_US;
    if (!w->date_n || day != w->day) date_of(w, day);
    char clock[] = "T00:00:00.000000Z";
    digits_to(clock + 10, 6, rest % 1000000), rest /= 1000000;
    digits_to(clock + 7, 2, rest % 60), rest /= 60;
    digits_to(clock + 4, 2, rest % 60), digits_to(clock + 1, 2, rest / 60);
    if (!w->csv) VEC_PUSH(w->out, '"');
    text_add(&w->out, w->date, (size_t)w->date_n);
    text_add(&w->out, clock, sizeof clock - 1);
    if (!w->csv) VEC_PUSH(w->out, '"');
}

static int there(const Table *t, int column, i64 row) {
    if (column == MARKER) return t->marker.p[row] >= 0;
    if (column < 0) return 1;
    const Column *c = &t->fields.p[column];
    return c->used && c->valid.p[row >> 3] >> (row & 7) & 1;
}

static void write_field(Writer *w, const Column *c, i64 row) {
    double x;
    switch (c->type) {
    case T_STR:
        write_text(w, (Str){c->data.p + c->offsets.p[row], (u32)(c->offsets.p[row + 1] - c->offsets.p[row])});
        break;
    case T_INT: write_int(&w->out, c->words.p[row]); break;
    case T_FLOAT:
        memcpy(&x, &c->words.p[row], sizeof x);
        write_float(&w->out, x);
        break;
    default: text_add(&w->out, c->words.p[row] ? (w->csv ? "True" : "true") : (w->csv ? "False" : "false"), c->words.p[row] ? 4 : 5);
    }
}

static void write_cell(Writer *w, const Table *t, const Vocab *v, int column, i64 row) {
    int32_t event = t->event.p[row];
    switch (column) {
    case AT: write_time(w, t->at.p[row]); break;
    case LEVEL: write_word(w, level_name(t->level.p[row])); break;
    case SOURCE: write_text(w, text_str(&t->sources.texts.p[t->source.p[row]])); break;
    case MARKER: write_word(w, marker_name(t->marker.p[row] + 1)); break;
    case EVENT:
        write_text(w, text_str((size_t)event < v->events.n ? &v->events.p[event].name : &t->names.texts.p[(size_t)event - v->events.n]));
        break;
    case FILE_NAME: write_text(w, text_str(&w->file)); break;
    case LINE: write_int(&w->out, t->line.p[row]); break;
    default: write_field(w, &t->fields.p[column], row);
    }
}

static void write_row(Writer *w, const Table *t, const Vocab *v, i64 row) {
    int first = 1;
    if (!w->csv) VEC_PUSH(w->out, '{');
    for (size_t i = 0; i < w->columns.n; i++) {
        const Asked *asked = &w->columns.p[i];
        int present = there(t, asked->column, row);
        if (!present && !w->csv) continue;
        if (!first) {
            VEC_PUSH(w->out, ',');
            if (!w->csv) VEC_PUSH(w->out, ' ');
        }
        first = 0;
        if (!w->csv) text_add(&w->out, asked->name.p, asked->name.n);
        if (present) write_cell(w, t, v, asked->column, row);
    }
    if (!w->csv) VEC_PUSH(w->out, '}');
    VEC_PUSH(w->out, '\n');
}

EXPORT Writer *recon_writer_new(int csv, const u8 *file, i64 n) {
    Writer *w = need(calloc(1, sizeof *w));
    w->csv = csv;
    text_set(&w->file, file, (size_t)n);
    return w;
}

EXPORT void recon_writer_column(Writer *w, int column, const char *key) {
    Asked asked = {.column = column};
    text_set(&asked.name, (const u8 *)key, strlen(key));
    VEC_PUSH(w->columns, asked);
}

EXPORT void recon_writer_free(Writer *w) {
    if (w == NULL) return;
    for (size_t i = 0; i < w->columns.n; i++) VEC_FREE(w->columns.p[i].name);
    VEC_FREE(w->columns), VEC_FREE(w->file), VEC_FREE(w->out);
    free(w);
}

/* The rows of a table as text, good until the next call. */
EXPORT i64 recon_write(Writer *w, const Table *t, const Vocab *v, const u8 **out) {
    w->out.n = 0;
    for (i64 row = 0; row < t->n; row++) write_row(w, t, v, row);
    *out = w->out.p;
    return (i64)w->out.n;
}
