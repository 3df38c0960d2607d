/* What the keys of a record say: the compiled twin of logs/structured.py. */
#include "structured.h"

#include "text.h"
#include "times.h"

/* The pairs of one line: those with a role, and those that are fields. */
typedef struct {
    u32 said; /* roles that are there, bits */
    Value role[MOST_ROLES];
    u64 seen[MOST_FIELDS / 64];
    u32 fields_n;
    u8 field[MOST_FIELDS];
    Value value[MOST_FIELDS];
} Pairs;

/* The slot of a key, or the empty one it would stand in. */
static inline const Known *slot_of(const Structured *s, Str name, u64 *head, u64 *tail) {
    *head = *tail = load64(name.p);
    if (name.n < 8) *head = *tail = *head & ((1ull << 8 * name.n) - 1);
    else *tail = load64(name.p + name.n - 8);
    for (u64 at = mix(*head ^ (*tail << 7 | *tail >> 57) ^ name.n);; at++) {
        const Known *k = &s->known[at & (NAMED - 1)];
        if (k->n == 0 || (k->head == *head && k->tail == *tail && k->n == name.n && (k->n <= 16 || memcmp(k->name.p, name.p, name.n) == 0)))
            return k;
    }
}

static inline void take(const Structured *s, Chunk *chunk, Pairs *pairs, Value key, const Value *value) {
    if (UNLIKELY(key.escaped) && !json_text(key.s, &chunk->arena, &key.s)) return;
    u64 head, tail;
    if (key.s.n == 0) return;
    const Known *k = slot_of(s, key.s, &head, &tail);
    if (k->n == 0) return;
    if (k->role >= 0) pairs->said |= 1u << k->role, pairs->role[k->role] = *value;
    if (k->field < 0) return;
    u32 f = (u32)k->field, at = pairs->fields_n;
    if (UNLIKELY(pairs->seen[f >> 6] >> (f & 63) & 1)) { /* its last word counts */
        for (at = 0; pairs->field[at] != f; at++) {}
    } else {
        pairs->seen[f >> 6] |= 1ull << (f & 63), pairs->fields_n++;
    }
    pairs->field[at] = (u8)f, pairs->value[at] = *value;
}

static int json_pairs(const Structured *s, Chunk *chunk, Str line, Pairs *pairs) {
    Str text = trimmed(line);
    if (text.n < 3 || text.p[0] != '{' || text.p[text.n - 1] != '}') return NO_HEADER;
    Members members = {text.p + 1, text.p + text.n, 0};
    Value key, value;
    int more;
    while ((more = json_member(&members, &key, &value)) > 0) take(s, chunk, pairs, key, &value);
    return more == 0 ? FOUND : BAD;
}

static int logfmt_pairs(const Structured *s, Chunk *chunk, Str line, Pairs *pairs) {
    static const Value TRUE = {{(const u8 *)"true\0\0\0\0", 4}, V_TEXT, 0};
    Str text = trimmed(line);
    const u8 *p = text.p, *end = p + text.n;
    for (int first = 1; p < end; first = 0) {
        while (space(*p)) p++;
        Value key = {{p, 0}, V_TEXT, 0}, value = TRUE;
        while (p < end && !(CLASS[*p] & C_STOP)) p++;
        key.s.n = (u32)(p - key.s.p);
        if (!key.s.n) goto other;
        if (p < end && *p == '=') {
            const u8 *from = ++p;
            value.s.p = from;
            if (p < end && *p == '"') {
                for (p++; p < end && *p != '"'; p++)
                    if (*p == '\\') value.escaped = 1, p++;
                if (p >= end) goto other;
                value.s = (Str){from + 1, (u32)(p - from - 1)};
                p++;
            } else {
                while (p < end && !(CLASS[*p] & C_SPACE) && *p != '"') p++;
                value.s.n = (u32)(p - from);
            }
        } else if (first) {
            return NO_HEADER;
        }
        if (p < end && !space(*p)) goto other;
        take(s, chunk, pairs, key, &value);
        continue;
    other:
        return !first && pairs->said & ((1u << s->first[G_TIME + 1]) - 1) ? BAD : NO_HEADER;
    }
    return text.n ? FOUND : NO_HEADER;
}

/* --- values ------------------------------------------------------------------------------------------------ */

static int hexes(const u8 *p, const u8 *end, int n, u32 *value) {
    if (end - p < n) return 0;
    *value = 0;
    for (int i = 0; i < n; i++) {
        int d = digit(p[i]) ? p[i] - '0' : (u8)((p[i] | 32) - 'a') < 6 ? (p[i] | 32) - 'a' + 10 : -1;
        if (d < 0) return 0;
        *value = *value * 16 + (u32)d;
    }
    return 1;
}

/* A logfmt value in quotes may hold JSON's or Go's escapes. */
static Str go_text(Str inside, Arena *arena) {
    static const char FROM[] = "ntrabfve", TO[] = "\n\t\r\a\b\f\v\x1b";
    inside = utf8_shown(inside, arena);
    u8 *out = arena_take(arena, (size_t)inside.n + 8), *to = out;
    for (const u8 *p = inside.p, *end = p + inside.n; p < end;) {
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        u32 c, low;
        const u8 *q = ++p;
        if (p[0] == 'x' && hexes(p + 1, end, 2, &c)) p += 3;
        else if (p[0] == 'u' && hexes(p + 1, end, 4, &c)) p += 5;
        else if (p[0] == 'U' && hexes(p + 1, end, 8, &c)) p += 9;
        else if (end - p >= 3 && (p[0] & ~7) == '0' && (p[1] & ~7) == '0' && (p[2] & ~7) == '0')
            c = (u32)(p[0] & 7) << 6 | (u32)(p[1] & 7) << 3 | (p[2] & 7), p += 3;
        if (p == q) {
            const char *known = *p ? strchr(FROM, *p) : NULL;
            *to++ = known != NULL ? (u8)TO[known - FROM] : *p;
            p++; /* the rest of a longer character follows as it is */
            continue;
        }
        if (*q == 'u' && c >> 10 == 0xD800 >> 10 && end - p >= 2 && p[0] == '\\' && p[1] == 'u' && hexes(p + 2, end, 4, &low) &&
            low >> 10 == 0xDC00 >> 10)
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00), p += 6;
        to = put_utf8(to, c < 0x110000 && c >> 11 != 0xD800 >> 11 ? c : 0xFFFD);
    }
    return (Str){out, (u32)(to - out)};
}

/* A value's text with its escapes undone. */
static Str plain_text(const Structured *s, Chunk *chunk, const Value *value) {
    Str text = value->s;
    if (LIKELY(value->kind != V_TEXT || !value->escaped)) return text;
    if (s->logfmt) return go_text(text, &chunk->arena);
    json_text(utf8_shown(text, &chunk->arena), &chunk->arena, &text);
    return text;
}

/* The first key of a group that says something; NULL when none does. */
static inline const Value *first_of(const Structured *s, const Pairs *pairs, Group group, int *role) {
    for (int r = s->first[group]; r < s->first[group + 1]; r++)
        if (pairs->said >> r & 1 && pairs->role[r].kind != V_NULL) {
            *role = r;
            return &pairs->role[r];
        }
    return NULL;
}

static int level_of(const Vocab *v, const Structured *s, Chunk *chunk, const Pairs *pairs) {
    int role;
    const Value *value = first_of(s, pairs, G_LEVEL, &role);
    if (value == NULL) return L_INFO;
    Str text = trimmed(plain_text(s, chunk, value));
    u32 n = 0, number = 0;
    while (n < text.n && n < 10 && digit(text.p[n])) number = number * 10 + (u32)(text.p[n++] - '0');
    if (n == text.n && n > 0 && n < 10) {
        if (role == s->syslog_role && number < s->syslog.n) return s->syslog.p[number];
        int level = L_CRITICAL;
        while (level > 0 && number < s->starts[role][level]) level--;
        return level;
    }
    for (n = 0; n < text.n && CLASS[text.p[n]] & (C_LOWER | C_UPPER); n++) {}
    Str word = {text.p, n};
    if (n < text.n && (text.p[n] == '+' || text.p[n] == '-') && n + 1 < text.n)
        for (n++; n < text.n && digit(text.p[n]); n++) {}
    return n == text.n ? vocab_level(v, word) : L_INFO;
}

static int marker_said(const Structured *s, Chunk *chunk, const Pairs *pairs) {
    for (int r = s->first[G_MARKER]; r < s->first[G_MARKER + 1]; r++) {
        if (!(pairs->said >> r & 1) || pairs->role[r].kind != V_TEXT) continue;
        Str text = plain_text(s, chunk, &pairs->role[r]);
        u8 upper[16];
        if (text.n && text.p[0] == '[') text.p++, text.n--;
        if (text.n && text.p[text.n - 1] == ']') text.n--;
        if (text.n > 10) continue;
        for (u32 i = 0; i < text.n; i++) upper[i] = CLASS[text.p[i]] & C_LOWER ? text.p[i] & ~32 : text.p[i];
        int marker = marker_of((Str){upper, text.n});
        if (marker) return marker;
    }
    return M_NONE;
}

/* --- the record -------------------------------------------------------------------------------------------- */

static int header_of(const Parser *parser, Chunk *chunk, const Structured *s, const Pairs *pairs, Rec *rec) {
    int role;
    const Value *at = first_of(s, pairs, G_TIME, &role);
    if (at == NULL) return NO_HEADER;
    if (at->kind != V_TEXT && at->kind != V_NUMBER) return BAD;
    if (!time_micros(parser, chunk, plain_text(s, chunk, at), at->kind == V_NUMBER, &rec->at_us)) return BAD;
    rec->level = (u8)level_of(parser->vocab, s, chunk, pairs);
    const Value *source = first_of(s, pairs, G_SOURCE, &role);
    rec->source = parser->source;
    if (source != NULL) {
        if (source->kind != V_TEXT && source->kind != V_NUMBER) return BAD;
        Str name = plain_text(s, chunk, source);
        u32 n = 0;
        while (n < name.n && n < 129 && CLASS[name.p[n]] & C_SOURCE) n++;
        if (n < 1 || n > 128 || n != name.n) return BAD;
        rec->source = name;
    }
    const Value *text = first_of(s, pairs, G_TEXT, &role);
    rec->text = (Str){(const u8 *)"\0\0\0\0\0\0\0\0", 0};
    if (text != NULL && text->kind == V_TEXT) rec->text = utf8_shown(plain_text(s, chunk, text), &chunk->arena);
    return FOUND;
}

static int is_name(Str text) {
    u32 n = 0;
    while (n < text.n && CLASS[text.p[n]] & C_NAME) n++;
    return n && n == text.n && CLASS[text.p[0]] & C_LOWER;
}

/* The record is the event of this name; 0 when it is none. */
static int named(const Parser *parser, Chunk *chunk, int marker, Str name, Rec *rec) {
    if (!is_name(name)) return 0;
    int event = vocab_event(parser->vocab, marker, name);
    if (marker == M_NONE && event < 0) return 0;
    const EventRow *row = event >= 0 ? &parser->vocab->events.p[event] : NULL;
    if (row != NULL && row->kind == K_METRICS && !(parser->wants & WANT_LESS)) rec->claims = arena_take(&chunk->arena, METRICS * sizeof(double));
    rec->marker = (u8)marker, rec->event = (int16_t)event, rec->name = name;
    rec->kind = row != NULL ? row->kind : K_OTHER;
    rec->moves = row != NULL ? row->moves : vocab_moves(parser->vocab, name);
    return 1;
}

/* A text such as `[TASK] started task=7`; the marker may stand under a key of its own. */
static int tagged_event(const Parser *parser, Chunk *chunk, int marker, Rec *rec) {
    Str own = rec->text;
    int bracket = own.n && own.p[0] == '[';
    if (marker && !bracket) {
        const char *name = marker_name(marker);
        size_t n = strlen(name);
        u8 *tagged = arena_take(&chunk->arena, own.n + n + 16);
        tagged[0] = '[';
        memcpy(tagged + 1, name, n);
        memcpy(tagged + n + 1, "] ", 2);
        memcpy(tagged + n + 3, own.p, own.n);
        rec->text = (Str){tagged, own.n + (u32)n + 3};
    }
    int found = parse_tagged_body(parser, chunk, rec);
    rec->text = own;
    if (found != BAD || marker || bracket) return found;
    rec->flags = 0, rec->s1.n = rec->s2.n = 0; /* prose that only looks like fields */
    if (!(parser->wants & WANT_LESS)) rec->claimed = 0;
    chunk->cells.n = 0;
    return FOUND;
}

static int put_field(const Parser *parser, Chunk *chunk, const Structured *s, Rec *rec, int field, const Value *value) {
    Str text = plain_text(s, chunk, value);
    i64 number;
    if (value->kind == V_NUMBER && parser->vocab->fields.p[field].type == T_INT && !parse_int(text, &number)) {
        if (!whole_number(text, &number)) return BAD;
        u8 *digits = arena_take(&chunk->arena, 32), *p = digits + 24;
        u64 rest = number < 0 ? 0 - (u64)number : (u64)number;
        do *--p = (u8)('0' + rest % 10);
        while (rest /= 10);
        if (number < 0) *--p = '-';
        text = (Str){p, (u32)(digits + 24 - p)};
    }
    return parse_put(parser, chunk, rec, rec->event >= 0 ? &parser->vocab->events.p[rec->event] : NULL, field, text) ? FOUND : BAD;
}

static int body_of(const Parser *parser, Chunk *chunk, const Structured *s, const Pairs *pairs, Rec *rec) {
    int marker = marker_said(s, chunk, pairs), role = -1;
    const Value *name = &pairs->role[s->first[G_EVENT]];
    int told = pairs->said >> s->first[G_EVENT] & 1 && name->kind == V_TEXT && named(parser, chunk, marker, plain_text(s, chunk, name), rec);
    if (!told && !(marker && named(parser, chunk, marker, rec->text, rec))) { /* most texts are no more than a name */
        u8 c = rec->text.n ? rec->text.p[0] : 0;
        if (c != '[' && !(CLASS[c] & C_LOWER)) return FOUND;
        if (tagged_event(parser, chunk, marker, rec) == BAD) return BAD;
    }
    if (rec->kind == K_NONE) return FOUND;
    int source = first_of(s, pairs, G_SOURCE, &role) != NULL ? s->field_of[role] : -1;
    for (u32 i = 0; i < pairs->fields_n; i++) {
        const Value *value = &pairs->value[i];
        if (value->kind == V_NULL || pairs->field[i] == source) continue; /* it names the source */
        if (put_field(parser, chunk, s, rec, pairs->field[i], value) == BAD) return BAD;
    }
    return FOUND;
}

int structured_line(const Parser *parser, Chunk *chunk, Str line, Rec *rec, int *header) {
    const Structured *s = parser->format->structured;
    Pairs pairs;
    pairs.said = 0, pairs.fields_n = 0;
    memset(pairs.seen, 0, sizeof pairs.seen);
    *header = s->logfmt ? logfmt_pairs(s, chunk, line, &pairs) : json_pairs(s, chunk, line, &pairs);
    if (*header == FOUND) *header = header_of(parser, chunk, s, &pairs, rec);
    if (*header != FOUND) return *header;
    parse_label(parser->vocab, rec, rec->text);
    return rec->label == LABEL_NONE ? body_of(parser, chunk, s, &pairs, rec) : FOUND;
}

/* --- the tables -------------------------------------------------------------------------------------------- */

static Known *entry(Structured *s, Str name) {
    u64 head, tail;
    Known *found = &s->known[slot_of(s, name, &head, &tail) - s->known];
    if (found->n) return found;
    *found = (Known){head, tail, name.n, -1, -1, {0}};
    text_set(&found->name, name.p, name.n);
    return found;
}

static Str next_word(const char **at) {
    const char *from = *at;
    while (**at && **at != '\t' && **at != '\n') ++*at;
    Str found = {(const u8 *)from, (u32)(*at - from)};
    if (**at == '\t') ++*at;
    return found;
}

static u32 next_number(const char **at) {
    i64 value = 0;
    parse_int(next_word(at), &value);
    return (u32)value;
}

/* Lines: M 0 or 1 (logfmt) | K group key | N five numbers, of the key above or (before any) of all |
 * Y levels of syslog, of the key above. */
Structured *structured_new(const Vocab *v, const char *at) {
    Structured *s = need(calloc(1, sizeof *s));
    u32 role = 0, group = 0;
    s->syslog_role = -1;
    for (size_t f = 0; f < v->fields.n; f++) entry(s, text_str(&v->fields.p[f].name))->field = (int16_t)f;
    for (; *at; at += *at == '\n') {
        Str what = next_word(&at);
        if (is(what, "M")) {
            s->logfmt = next_number(&at) == 1;
        } else if (is(what, "K") && role < MOST_ROLES) {
            for (u32 wanted = next_number(&at); group < wanted && group < GROUPS;) s->first[++group] = (u8)role;
            Known *known = entry(s, next_word(&at));
            s->field_of[role] = known->field;
            known->role = (int16_t)role++;
        } else if (is(what, "N")) {
            u32 starts[L_CRITICAL + 1];
            for (int i = 0; i <= L_CRITICAL; i++) starts[i] = next_number(&at);
            for (u32 r = role ? role - 1 : 0; r < (role ? role : MOST_ROLES); r++) memcpy(s->starts[r], starts, sizeof starts);
        } else if (is(what, "Y")) {
            s->syslog_role = (int)role - 1;
            while (*at && *at != '\n') VEC_PUSH(s->syslog, (u8)next_number(&at));
        } else {
            structured_free(s);
            return NULL;
        }
    }
    while (group < GROUPS) s->first[++group] = (u8)role;
    return s;
}

void structured_free(Structured *s) {
    if (s == NULL) return;
    for (size_t i = 0; i < NAMED; i++) VEC_FREE(s->known[i].name);
    VEC_FREE(s->syslog);
    free(s);
}
