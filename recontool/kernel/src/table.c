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

void table_free(Table *t) {
    if (t == NULL) return;
    for (size_t i = 0; i < t->fields.n; i++) {
        Column *c = &t->fields.p[i];
        VEC_FREE(c->valid), VEC_FREE(c->words), VEC_FREE(c->offsets), VEC_FREE(c->data);
    }
    for (size_t i = 0; i < t->sources.n; i++) VEC_FREE(t->sources.p[i]);
    for (size_t i = 0; i < t->names.n; i++) VEC_FREE(t->names.p[i]);
    VEC_FREE(t->at), VEC_FREE(t->line), VEC_FREE(t->level), VEC_FREE(t->marker), VEC_FREE(t->event), VEC_FREE(t->source);
    VEC_FREE(t->fields), VEC_FREE(t->sources), VEC_FREE(t->names);
    free(t);
}

static void clear(Table *t) {
    t->n = t->at.n = t->line.n = t->level.n = t->marker.n = t->event.n = t->source.n = 0;
    for (size_t i = 0; i < t->fields.n; i++) {
        Column *c = &t->fields.p[i];
        c->used = 0, c->n = 0, c->valid.n = c->words.n = c->offsets.n = c->data.n = 0;
    }
}

/* Rows up to `n` that have no value. */
static void pad(Column *c, i64 n) {
    size_t bytes = (size_t)(n + 7) / 8;
    VEC_ROOM(c->valid, bytes + 1 - c->valid.n);
    while (c->valid.n < bytes) c->valid.p[c->valid.n++] = 0;
    if (c->type == T_STR) {
        VEC_ROOM(c->offsets, (size_t)(n - c->n) + 2);
        if (c->offsets.n == 0) c->offsets.p[c->offsets.n++] = 0;
        for (; c->n < n; c->n++) c->offsets.p[c->offsets.n++] = (int32_t)c->data.n;
    } else {
        VEC_ROOM(c->words, (size_t)(n - c->n) + 1);
        for (; c->n < n; c->n++) c->words.p[c->words.n++] = 0;
    }
}

static void put_text(Column *c, i64 row, Str text) {
    if (c->n > row) { /* the line says the field twice: its last word counts */
        c->data.n = (size_t)c->offsets.p[row];
        c->offsets.n--, c->n--;
    }
    pad(c, row + 1);
    c->valid.p[row >> 3] |= (u8)(1 << (row & 7));
    VEC_ROOM(c->data, text.n);
    if (text.n) memcpy(c->data.p + c->data.n, text.p, text.n);
    c->data.n += text.n;
    c->offsets.p[row + 1] = (int32_t)c->data.n;
    c->used = 1;
}

static void put_word(Column *c, i64 row, i64 word) {
    pad(c, row + 1 > c->n ? row + 1 : c->n);
    c->valid.p[row >> 3] |= (u8)(1 << (row & 7));
    c->words.p[row] = word;
    c->used = 1;
}

static void put_cell(Table *t, i64 row, const Cell *cell) {
    Column *c = &t->fields.p[cell->field];
    if (cell->type == T_STR) put_text(c, row, cell->s);
    else put_word(c, row, cell->i); /* a double's bits are a word too */
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
    put_text(&t->fields.p[v->fields.n], row, text_str(&out));
    VEC_FREE(out);
}

static int32_t number_in(Texts *list, Str name) {
    for (size_t i = 0; i < list->n; i++)
        if (same(text_str(&list->p[i]), name)) return (int32_t)i;
    Text own = {0};
    text_set(&own, name.p, name.n);
    VEC_PUSH(*list, own);
    return (int32_t)(list->n - 1);
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
    for (size_t i = 0; i < rows->n; i++) {
        const Row *r = &rows->p[i];
        if (!wants(wanted, r)) continue;
        i64 row = t->n++;
        VEC_PUSH(t->at, r->at);
        VEC_PUSH(t->line, r->line);
        VEC_PUSH(t->level, r->level);
        VEC_PUSH(t->marker, (int32_t)r->marker - 1);
        VEC_PUSH(t->event, r->event >= 0 ? r->event : (int32_t)v->events.n + number_in(&t->names, r->name));
        VEC_PUSH(t->source, number_in(&t->sources, r->source));
        int kind = r->event >= 0 ? v->events.p[r->event].kind : K_OTHER;
        if (r->claims != NULL || kind == K_CONFIG || kind == K_METRICS) {
            put_values(t, v, row, r);
            continue;
        }
        for (u32 k = 0; !r->also && k < r->rec->cells_n; k++) put_cell(t, row, &r->rec->cells[k]);
        if (r->cause.n) put_text(&t->fields.p[cause], row, r->cause);
        if (r->type.n) put_text(&t->fields.p[type], row, r->type);
    }
    for (size_t i = 0; i < t->fields.n; i++)
        if (t->fields.p[i].used) pad(&t->fields.p[i], t->n);
}
