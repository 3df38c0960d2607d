#include "table.h"

#include <stdio.h>

#include "text.h"
#include "write.h"

Table *table_new(const Vocab *v) {
    Table *t = need(calloc(1, sizeof *t));
    VEC_ROOM(t->fields, v->fields.n + 1);
    memset(t->fields.p, 0, (v->fields.n + 1) * sizeof(Column));
    t->fields.n = v->fields.n + 1;
    for (size_t i = 0; i < v->fields.n; i++) t->fields.p[i].type = v->fields.p[i].type;
    t->fields.p[v->fields.n].type = T_STR;
    return t;
}

static void forget(Names *names) {
    for (size_t i = 0; i < names->texts.n; i++) VEC_FREE(names->texts.p[i]);
    VEC_FREE(names->texts);
    index_free(&names->at);
}

void table_free(Table *t) {
    if (t == NULL) return;
    for (size_t i = 0; i < t->fields.n; i++) {
        Column *c = &t->fields.p[i];
        VEC_FREE(c->valid), VEC_FREE(c->words), VEC_FREE(c->offsets), VEC_FREE(c->data);
    }
    forget(&t->sources), forget(&t->names);
    VEC_FREE(t->at), VEC_FREE(t->line), VEC_FREE(t->level), VEC_FREE(t->marker), VEC_FREE(t->event), VEC_FREE(t->source);
    VEC_FREE(t->fields);
    free(t);
}

static void clear(Table *t) {
    t->n = 0;
    for (size_t i = 0; i < t->fields.n; i++) t->fields.p[i].used = 0;
}

/* The column has a value at last: let it have none in any of the table's rows first. */
static void begin(Column *c, size_t rows) {
    c->used = 1, c->data.n = 0;
    VEC_ROOM(c->valid, rows / 8 + 1);
    memset(c->valid.p, 0, rows / 8 + 1);
    if (c->type == T_STR) {
        VEC_ROOM(c->offsets, rows + 1);
        memset(c->offsets.p, 0, (rows + 1) * sizeof *c->offsets.p);
    } else {
        VEC_ROOM(c->words, rows);
        memset(c->words.p, 0, rows * sizeof *c->words.p);
    }
}

/* Most texts are names of a dozen bytes, for which a call would take longer than the copy. */
static inline void copy_short(u8 *to, const u8 *p, size_t n) {
    if (n > 16) {
        memcpy(to, p, n);
    } else if (n >= 8) {
        u64 first, last;
        memcpy(&first, p, 8), memcpy(&last, p + n - 8, 8);
        memcpy(to, &first, 8), memcpy(to + n - 8, &last, 8);
    } else {
        for (size_t i = 0; i < n; i++) to[i] = p[i];
    }
}

/* Until the table is full, the offset behind a text is its length. */
static void put_text(Table *t, size_t field, i64 row, Str text) {
    Column *c = &t->fields.p[field];
    if (UNLIKELY(!c->used)) begin(c, t->rows);
    c->data.n -= (size_t)c->offsets.p[row + 1]; /* where the line says the field twice, its last word counts */
    c->valid.p[row >> 3] |= (u8)(1 << (row & 7));
    VEC_ROOM(c->data, text.n);
    copy_short(c->data.p + c->data.n, text.p, text.n);
    c->data.n += text.n;
    c->offsets.p[row + 1] = (int32_t)text.n;
}

static void put_word(Table *t, size_t field, i64 row, i64 word) {
    Column *c = &t->fields.p[field];
    if (UNLIKELY(!c->used)) begin(c, t->rows);
    c->valid.p[row >> 3] |= (u8)(1 << (row & 7));
    c->words.p[row] = word;
}

static void finish(Column *c, i64 rows) {
    if (!c->used || c->type != T_STR) return;
    int32_t at = 0;
    for (i64 row = 1; row <= rows; row++) c->offsets.p[row] = at += c->offsets.p[row];
}

static void put_cell(Table *t, i64 row, const Cell *cell) {
    if (cell->type == T_STR) put_text(t, (size_t)cell->field, row, cell->s);
    else put_word(t, (size_t)cell->field, row, cell->i); /* a double's bits are a word too */
}

static void json_key(Text *out, Str name) {
    if (out->n > 1) {
        VEC_PUSH(*out, ',');
        VEC_PUSH(*out, ' ');
    }
    write_json_text(out, name);
    VEC_PUSH(*out, ':');
    VEC_PUSH(*out, ' ');
}

/* Fields of an event that has too many for columns, as one JSON object. */
static void put_values(Table *t, const Vocab *v, i64 row, const Row *r) {
    Text out = {0};
    VEC_PUSH(out, '{');
    for (u32 i = 0; r->claims == NULL && i < r->rec->cells_n; i++) {
        const Cell *cells = r->rec->cells, *cell = &cells[i];
        int before = 0;
        for (u32 k = 0; k < i; k++) before |= cells[k].field == cell->field;
        if (before) continue;
        for (u32 k = i + 1; k < r->rec->cells_n; k++)
            if (cells[k].field == cell->field) cell = &cells[k]; /* its last word counts */
        json_key(&out, text_str(&v->fields.p[cell->field].name));
        char digits[32];
        switch (cell->type) {
        case T_STR: write_json_text(&out, cell->s); break;
        case T_FLOAT: write_float(&out, cell->x); break;
        default:
            for (int k = 0, n = cell->type == T_BOOL ? snprintf(digits, sizeof digits, cell->i ? "true" : "false")
                                                      : snprintf(digits, sizeof digits, "%lld", (long long)cell->i); k < n; k++)
                VEC_PUSH(out, (u8)digits[k]);
        }
    }
    for (int m = 0; r->claims != NULL && m < METRICS; m++)
        if (r->claimed >> m & 1) {
            json_key(&out, (Str){(const u8 *)METRIC_NAMES[m], (u32)strlen(METRIC_NAMES[m])});
            write_float(&out, r->claims[m]);
        }
    VEC_PUSH(out, '}');
    put_text(t, v->fields.n, row, text_str(&out));
    VEC_FREE(out);
}

static int32_t number_in(Names *names, Str name) {
    u64 hash = hash_bytes(name.p, name.n), at = hash;
    for (u32 i; (i = index_next(&names->at, hash, &at)) != NONE;)
        if (same(text_str(&names->texts.p[i]), name)) return (int32_t)(names->last = i);
    Text own = {0};
    text_set(&own, name.p, name.n);
    names->last = (u32)names->texts.n;
    index_put(&names->at, hash, names->last);
    VEC_PUSH(names->texts, own);
    return (int32_t)names->last;
}

/* Behind a source more bytes may be read, and most lines are of that of the line before. */
static inline int32_t source_in(Names *names, Str source) {
    if (LIKELY(names->texts.n && same_name(text_str(&names->texts.p[names->last]), source))) return (int32_t)names->last;
    return number_in(names, source);
}

static int wants(const Wanted *w, const Row *r) {
    if (r->at < w->since || r->at > w->until || !(w->markers >> r->marker & 1)) return 0;
    if (w->sources_n == 0) return 1;
    for (const u8 *p = w->sources, *end = p + w->sources_n; p < end;) {
        const u8 *stop = memchr(p, '\n', (size_t)(end - p));
        if ((size_t)(stop - p) == r->source.n && memcmp(p, r->source.p, r->source.n) == 0) return 1;
        p = stop + 1;
    }
    return 0;
}

void table_fill(Table *t, const Vocab *v, const Rows *rows, const Wanted *wanted) {
    static const Str CAUSE = {(const u8 *)"cause", 5}, TYPE = {(const u8 *)"type", 4};
    int cause = vocab_named(v, CAUSE), type = vocab_named(v, TYPE);
    clear(t);
    t->rows = rows->n;
    VEC_ROOM(t->at, rows->n);
    VEC_ROOM(t->line, rows->n);
    VEC_ROOM(t->level, rows->n);
    VEC_ROOM(t->marker, rows->n);
    VEC_ROOM(t->event, rows->n);
    VEC_ROOM(t->source, rows->n);
    for (size_t i = 0; i < rows->n; i++) {
        const Row *r = &rows->p[i];
        if (!wants(wanted, r)) continue;
        i64 row = t->n++;
        t->at.p[row] = r->at, t->line.p[row] = r->line;
        t->level.p[row] = r->level, t->marker.p[row] = (int32_t)r->marker - 1;
        t->event.p[row] = r->event >= 0 ? r->event : (int32_t)v->events.n + number_in(&t->names, r->name);
        t->source.p[row] = source_in(&t->sources, r->source);
        int kind = r->event >= 0 ? v->events.p[r->event].kind : K_OTHER;
        if (r->claims != NULL || kind == K_CONFIG || kind == K_METRICS) {
            put_values(t, v, row, r);
            continue;
        }
        for (u32 k = 0; !r->also && k < r->rec->cells_n; k++) put_cell(t, row, &r->rec->cells[k]);
        if (r->cause.n) put_text(t, (size_t)cause, row, r->cause);
        if (r->type.n) put_text(t, (size_t)type, row, r->type);
    }
    for (size_t i = 0; i < t->fields.n; i++) finish(&t->fields.p[i], t->n);
}
