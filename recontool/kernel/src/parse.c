#include "line.h"
#include "shaped.h"
#include "structured.h"
#include "wide.h"

static const char *const LEVELS[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
static const i64 SECOND_US = 1000000;

static inline int two(const u8 *p) { return (p[0] - '0') * 10 + (p[1] - '0'); }

static int all_digits(const u8 *p, const char *at) {
    for (; *at; at++)
        if (!digit(p[*at - 'A'])) return 0;
    return 1;
}

/* `YYYY-MM-DD?HH:MM:SS` with `between` for the question mark. */
static int second_of(Chunk *chunk, const u8 *p, u8 between, i64 *at_us) {
    int known = load64(p) == load64(chunk->minute) && load64(p + 8) == load64(chunk->minute + 8) && p[16] == chunk->minute[16];
    if (UNLIKELY(!known || p[10] != between)) {
        if (!all_digits(p, "ABCDFGIJLMOPRS") || p[4] != '-' || p[7] != '-' || p[10] != between || p[13] != ':' || p[16] != ':')
            return NO_HEADER;
        i64 days = days_of(two(p) * 100 + two(p + 2), two(p + 5), two(p + 8));
        int hour = two(p + 11), minute = two(p + 14);
        if (days == -1000000000 || hour > 23 || minute > 59 || two(p + 17) > 59) return BAD;
        memcpy(chunk->minute, p, 17);
        chunk->minute_us = ((days * 24 + hour) * 60 + minute) * 60 * SECOND_US;
    }
    if (!digit(p[17]) || !digit(p[18])) return NO_HEADER;
    int second = two(p + 17);
    if (second > 59) return BAD;
    *at_us = chunk->minute_us + second * SECOND_US;
    return FOUND;
}

static int level_at(const u8 *p, const u8 *end, u32 *n) {
    for (int i = 0; i < 5; i++) {
        u32 length = (u32)strlen(LEVELS[i]);
        if ((size_t)(end - p) > length && memcmp(p, LEVELS[i], length) == 0 && p[length] == ' ') return *n = length, i;
    }
    return -1;
}

/* `2026-11-24T10:15:32.123456Z LEVEL source ` and the rest; see HEADER in logs/grammar.py. */
static int tagged_header(Chunk *chunk, Str line, Rec *rec) {
    const u8 *p = line.p, *end = p + line.n;
    if (line.n < 34 || p[19] != '.' || p[26] != 'Z' || p[27] != ' ') return NO_HEADER;
    u64 six = (load64(p + 20) & 0x0000FFFFFFFFFFFFu) | 0x3030000000000000u;
    if (((six + 0x4646464646464646u) | (six - 0x3030303030303030u)) & 0x8080808080808080u) return NO_HEADER;
    int time = second_of(chunk, p, 'T', &rec->at_us);
    if (time == NO_HEADER) return NO_HEADER;
    u32 level_n = 0;
    int level = LIKELY(memcmp(p + 28, "INFO ", 5) == 0) ? (level_n = 4, L_INFO) : level_at(p + 28, end, &level_n);
    if (level < 0) return NO_HEADER;
    p += 28 + level_n + 1;
    u32 n = chunk->source_n;
    if (UNLIKELY(!n || (size_t)(end - p) <= n || !same_name((Str){p, n}, (Str){chunk->source, n}) || p[n] != ' ')) {
        n = 0;
        while (p + n < end && n < 129 && CLASS[p[n]] & C_SOURCE) n++;
        if (n < 1 || n > 128 || p + n == end || p[n] != ' ') return NO_HEADER;
        memcpy(chunk->source, p, n);
        chunk->source_n = n;
    }
    if (time == BAD) return BAD; /* it has the shape of a record, yet no such time exists */
    rec->level = (u8)level;
    rec->source = (Str){p, n};
    rec->text = (Str){p + n + 1, (u32)(end - p - n - 1)};
    rec->at_us += ((two(line.p + 20) * 100 + two(line.p + 22)) * 100 + two(line.p + 24));
    return FOUND;
}

/* A value in double quotes: its text, 0 when it is not JSON. */
static inline int unquoted(Chunk *chunk, Str inside, int escaped, Str *text) {
    *text = inside;
    if (UNLIKELY(escaped)) return json_text(inside, &chunk->arena, text);
    for (u32 i = 0; i < inside.n; i++)
        if (inside.p[i] < 0x20) return 0;
    return 1;
}

static inline u8 slot_of(const EventRow *row, int field) { return row != NULL ? row->slot[field] : S_SKIP; }

/* ` key=value` to the end of the line. NO_HEADER: not even the first one begins like a field. */
static int fields(const Parser *parser, Chunk *chunk, Rec *rec, const EventRow *row, const u8 *p, const u8 *end) {
    for (int first = 1; p < end; first = 0) {
        const u8 *key = p + 1, *q = key;
        if (*p != ' ' || key == end || !(CLASS[*key] & C_LOWER)) return first ? NO_HEADER : BAD;
        while (q < end && CLASS[*q] & C_NAME) q++;
        if (q == end || *q != '=' || q + 1 == end || (first && space(q[1]))) return first ? NO_HEADER : BAD;
        Str name = {key, (u32)(q - key)}, text;
        const u8 *value = ++q;
        int f = vocab_field(parser->vocab, name);
        if (*q == '"') {
            int escaped = 0;
            for (q++; q < end && *q != '"'; q++)
                if (*q == '\\') escaped = 1, q++;
            if (q >= end) return BAD;
            if (f >= 0 && !unquoted(chunk, (Str){value + 1, (u32)(q - value - 1)}, escaped, &text)) return BAD;
            p = q + 1;
        } else {
            while (q < end && !(CLASS[*q] & C_STOP)) q++;
            if (q == value) return BAD;
            text = (Str){value, (u32)(q - value)};
            p = q;
        }
        if (f >= 0 && !put(parser, chunk, rec, slot_of(row, f), f, text)) return BAD;
    }
    return FOUND;
}

enum { PLAIN, EVENT };

/* `[MARKER] event` or `event` at the start of `text`; `name` is the event's. PLAIN: it is none. */
static int opening_of(const Vocab *v, Str text, int *marker, Str *name, int *event) {
    const u8 *p = text.p, *end = p + text.n;
    *marker = M_NONE;
    if (p < end && *p == '[') {
        const u8 *from = ++p;
        while (p < end && CLASS[*p] & C_UPPER) p++;
        if (end - p < 2 || p[0] != ']' || p[1] != ' ') return PLAIN;
        *marker = marker_of((Str){from, (u32)(p - from)});
        if (!*marker) return PLAIN;
        p += 2;
    }
    const u8 *from = p;
    if (p == end || !(CLASS[*p] & C_LOWER)) return PLAIN;
    while (p < end && CLASS[*p] & C_NAME) p++;
    *name = (Str){from, (u32)(p - from)};
    *event = vocab_event(v, *marker, *name);
    return *marker == M_NONE && *event < 0 ? PLAIN : EVENT;
}

static const EventRow *row_of(const Vocab *v, int event) { return event >= 0 ? &v->events.p[event] : NULL; }
static u8 kind_of(const EventRow *row) { return row != NULL ? row->kind : K_OTHER; }
static u8 moves_of(const Vocab *v, const EventRow *row, Str name) { return row != NULL ? row->moves : vocab_moves(v, name); }

int parse_opening(const Parser *parser, Str text, Opening *o) {
    int marker, event;
    Str name;
    Meaning *m = &o->meaning;
    *o = (Opening){.n = text.n, .meaning.event = -1};
    memcpy(o->text, text.p, text.n);
    if (opening_of(parser->vocab, text, &marker, &name, &event) == PLAIN) {
        if (text.p[0] == '[' || !(CLASS[text.p[0]] & C_LOWER)) return 0;
        for (u32 i = 0; i < text.n; i++)
            if (!(CLASS[text.p[i]] & C_NAME)) return 0; /* an event's name may end within */
        return 1;
    }
    o->row = row_of(parser->vocab, event);
    m->name_at = (u32)(name.p - text.p), m->name_end = m->name_at + name.n;
    m->event = (int16_t)event, m->marker = (u8)marker, m->kind = kind_of(o->row), m->moves = moves_of(parser->vocab, o->row, name);
    m->counted = (u8)only_counted(m->kind);
    if (m->kind >= K_TASK_COMPLETED && m->kind <= K_TASK_CANCELLED) m->outcome = (u8)(TALLY_TASKS + m->kind - K_TASK_COMPLETED);
    return m->name_end == text.n && m->kind != K_METRICS;
}

/* `[MARKER] event key=value ...`; see parse_body in logs/grammar.py. */
static int tagged_body(const Parser *parser, Chunk *chunk, Rec *rec) {
    const Vocab *v = parser->vocab;
    int marker, event;
    Str name;
    if (opening_of(v, rec->text, &marker, &name, &event) == PLAIN) return FOUND;
    const EventRow *row = row_of(v, event);
    if (row != NULL && row->kind == K_METRICS && !(parser->wants & WANT_LESS)) rec->claims = arena_take(&chunk->arena, METRICS * sizeof(double));
    int end_as = fields(parser, chunk, rec, row, name.p + name.n, rec->text.p + rec->text.n);
    if (end_as == BAD) return BAD;
    if (end_as == NO_HEADER) return rec->flags = 0, FOUND;
    rec->marker = (u8)marker, rec->event = (int16_t)event, rec->name = name;
    rec->kind = kind_of(row), rec->moves = moves_of(v, row, name);
    return FOUND;
}

/* A line of a metrics block: its head, its label lines, its closing rule; see logs/blocks.py. */
static void label_of(const Vocab *v, Rec *rec, Str text) {
    if (!text.n) return;
    Str line = trimmed(text);
    const u8 *p = line.p, *end = p + line.n;
    if (p < end && *p == '=') {
        while (p < end && *p == '=') p++;
        if (p - line.p < 3) return;
        if (p == end) rec->label = LABEL_RULE;
        static const char HEAD[] = " Performance Metrics for ";
        if (text.p[0] != '=' || (size_t)(end - p) <= sizeof HEAD || memcmp(p, HEAD, sizeof HEAD - 1) != 0) return;
        const u8 *owner = p + sizeof HEAD - 1, *q = owner;
        while (q < end && !space(*q)) q++;
        if (q == owner || q - owner > 128 || end - q < 4 || *q != ' ') return;
        for (p = q + 1; p < end; p++)
            if (*p != '=') return;
        rec->label = LABEL_HEAD, rec->s1 = (Str){owner, (u32)(q - owner)};
        return;
    }
    if (p == end || !(CLASS[*p] & C_UPPER)) return;
    while (p < end && (CLASS[*p] & (C_UPPER | C_LOWER) || *p == ' ')) p++;
    if (end - p < 3 || p - line.p < 2 || p[0] != ':' || p[1] != ' ') return;
    Str label = {line.p, (u32)(p - line.p)};
    size_t i = 0;
    while (i < v->labels.n && !same(text_str(&v->labels.p[i].text), label)) i++;
    if (i == v->labels.n) return;
    p += 2;
    const u8 *number = p;
    if (end - p >= 3 && memcmp(p, "n/a", 3) == 0) {
        rec->label = (u8)(1 + i);
        return;
    }
    p += *p == '-';
    const u8 *from = p;
    while (p < end && digit(*p)) p++;
    if (p == from) return;
    if (p + 1 < end && *p == '.' && digit(p[1]))
        for (p++; p < end && digit(*p); p++) {}
    Str digits = {number, (u32)(p - number)};
    p += p < end && *p == ' ';
    Str unit = {p, (u32)(end - p)};
    if (unit.n && !is(unit, "x") && !is(unit, "ms") && !is(unit, "s") && !is(unit, "bytes")) return;
    rec->label = (u8)(1 + i);
    double x;
    if (!parse_float(digits, &x)) return;
    u8 catalogue = v->labels.p[i].unit;
    if (catalogue == U_S && is(unit, "ms")) x = rounded9(x * 0.001);
    if (catalogue == U_MS && is(unit, "s")) x = rounded9(x * 1000.0);
    rec->label_x = x, rec->flags |= HAS_LABEL_X;
}

int parse_traceback(Str line) {
    u8 second = line.n > 1 ? line.p[1] : 0; /* as few lines have it */
    if (second != 'r' && second != 'u' && second != 'h') return 0;
    static const char *const TRACES[] = {"Traceback (most recent call last):", "During handling of the above",
                                         "The above exception was"};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(TRACES[i]);
        if (line.n >= n && memcmp(line.p, TRACES[i], n) == 0) return 1;
    }
    return 0;
}

static void headless(const Vocab *v, Rec *rec, Str line) {
    Str word = trimmed(line);
    rec->shape = R_HEADLESS;
    if (!word.n) {
        rec->flags |= BLANK;
        return;
    }
    label_of(v, rec, line);
    if (space(line.p[0])) rec->flags |= INDENTED;
    if (parse_traceback(line)) rec->flags |= TRACEBACK;
    if (is(word, "{")) rec->flags |= OPENS_BRACE;
    if (is(word, "[")) rec->flags |= OPENS_BRACKET;
    if (word.p == line.p && is(word, "}")) rec->flags |= CLOSES_BRACE;
    if (word.p == line.p && is(word, "]")) rec->flags |= CLOSES_BRACKET;
    const u8 *p = line.p, *end = p + line.n;
    if (CLASS[*p] & (C_UPPER | C_LOWER) || *p == '_') {
        while (p < end && (CLASS[*p] & C_WORD || *p == '.')) p++;
        if (p == end || (end - p >= 2 && p[0] == ':' && p[1] == ' ')) rec->flags |= EXCEPTION;
    }
}

/* The one unmarked event that says something about sessions. */
static inline int is_config(Str text) {
    return text.n >= 6 && memcmp(text.p, "config", 6) == 0 && (text.n == 6 || text.p[6] == ' ');
}

static void one_line(const Parser *parser, Chunk *chunk, Str line, Rec *rec) {
    blank(parser, rec, line);
    chunk->cells.n = 0;
    int found, header;
    if (parser->format->structured != NULL) {
        found = structured_line(parser, chunk, line, rec, &header);
    } else if (!parser->format->templates) {
        header = found = tagged_header(chunk, line, rec);
        if (found == FOUND) {
            u8 c = rec->text.n ? rec->text.p[0] : 0;
            int less = parser->wants & WANT_LESS;
            if (c == '[' || (CLASS[c] & C_LOWER && (!less || is_config(rec->text)))) found = tagged_body(parser, chunk, rec);
            else if (!(CLASS[c] & C_LOWER)) label_of(parser->vocab, rec, rec->text);
            if (less && found == FOUND && rec->kind == K_NONE && rec->label == LABEL_NONE) rec->shape = R_QUIET;
        }
    } else {
        found = shaped_line(parser, chunk, line, rec, &header);
    }
    if (found == NO_HEADER) rec->shape = R_HEADLESS;
    if (found == NO_HEADER) headless(parser->vocab, rec, line);
    conclude(chunk, rec, found, header);
}

int parse_header(Chunk *chunk, Str line, Rec *rec) { return tagged_header(chunk, line, rec) == FOUND; }

const u8 *parse_line(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end) {
    const u8 *stop = memchr(p, '\n', (size_t)(end - p));
    if (stop == NULL) stop = end;
    size_t length = (size_t)(stop - p);
    if (UNLIKELY(length > MAX_LINE)) length = MAX_LINE;
    while (length && (p[length - 1] == '\r' || p[length - 1] == '\n')) length--;
    VEC_ROOM(chunk->recs, 1);
    Rec *rec = &chunk->recs.p[chunk->recs.n];
    chunk->who = 0;
    one_line(parser, chunk, (Str){p, (u32)length}, rec);
    rec->line = chunk->lines++;
    if (rec->shape == R_QUIET) {
        Rec *with = before(chunk, rec, rec->source);
        if (with != NULL) {
            if (rec->at_us > with->until) with->until = rec->at_us;
            return stop + 1;
        }
    }
    chunk->recs.n++;
    return stop + 1;
}

void parse_lines(const Parser *parser, Chunk *chunk, const u8 *p, size_t n) {
    chunk->recs.n = 0, chunk->lines = 0, chunk->who = 0;
    arena_clear(&chunk->arena);
    if (parser->format->structured == NULL && wide_lines(parser, chunk, p, p + n)) return;
    for (const u8 *end = p + n; p < end;) p = parse_line(parser, chunk, p, end);
}

void chunk_free(Chunk *chunk) {
    free(chunk->buffer), free(chunk->openings), free(chunk->layouts);
    VEC_FREE(chunk->recs), VEC_FREE(chunk->cells);
    arena_free(&chunk->arena);
}

int parse_second(Chunk *chunk, const u8 *p, u8 between, i64 *at_us) { return second_of(chunk, p, between, at_us); }
int parse_tagged_body(const Parser *parser, Chunk *chunk, Rec *rec) { return tagged_body(parser, chunk, rec); }
int parse_put(const Parser *parser, Chunk *chunk, Rec *rec, const EventRow *row, int field, Str text) {
    return put(parser, chunk, rec, slot_of(row, field), field, text);
}
void parse_label(const Vocab *v, Rec *rec, Str text) { label_of(v, rec, text); }
const char *level_name(int level) { return LEVELS[level]; }
