/* One line at a time: what both the plain reader (parse.c) and the wide one (wide.c) are made of. */
#ifndef RECON_LINE_H
#define RECON_LINE_H
#include "parse.h"
#include "text.h"

/* Read the line at p as the grammar has it, whatever it is; returns where the next one starts. */
const u8 *parse_line(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end);
/* `2026-11-24T10:15:32.123456Z LEVEL source ` and the rest; 1 when the line is such a record. */
int parse_header(Chunk *chunk, Str line, Rec *rec);
/* What the text between the header and the fields means; 0 when that cannot be said without the rest of the line. */
int parse_opening(const Parser *parser, Str text, Opening *opening);

/* Whether a summary only counts events of this kind. */
static inline int only_counted(u8 kind) {
    return kind != K_ESTABLISHED && kind != K_LOST && kind != K_CLOSED && kind != K_CONFIG && kind != K_NONE;
}

/* The record before `rec`, when it is of the same source. Nothing is counted past a line that is none. */
static inline Rec *before(const Chunk *chunk, Rec *rec, Str source) {
    int record = chunk->recs.n && (rec[-1].shape == R_RECORD || rec[-1].shape == R_QUIET);
    return record && same_name(rec[-1].source, source) ? rec - 1 : NULL;
}

/* Put one typed value where the event's fold, and the table, want it; 0 when it does not fit its type. */
static inline int put(const Parser *parser, Chunk *chunk, Rec *rec, u8 slot, int f, Str text) {
    const Field *field = &parser->vocab->fields.p[f];
    Cell cell = {.field = (int16_t)f, .type = field->type};
    int less = parser->wants & WANT_LESS; /* a summary asks only whether the value is good */
    switch (field->type) {
    case T_STR:
        if (slot != S_SKIP || parser->wants & WANT_CELLS) text = utf8_shown(text, &chunk->arena);
        cell.s = text;
        if (slot == S_TEXT) rec->s1 = text, rec->flags |= HAS_TEXT;
        else if (slot == S_MORE_TEXT) rec->s2 = text;
        else if (slot == S_HEARTBEAT) rec->flags = (u16)(is(text, "heartbeat") ? rec->flags | HEARTBEAT : rec->flags & ~HEARTBEAT);
        else if (slot == S_DEBUG) rec->flags = (u16)(is(text, "DEBUG") ? rec->flags | DEBUG_LOG : rec->flags & ~DEBUG_LOG);
        break;
    case T_INT:
        if (!parse_int(text, &cell.i)) return 0;
        if (less) break;
        if (slot == S_A) rec->a = cell.i, rec->flags |= HAS_A;
        else if (slot == S_B) rec->b = cell.i, rec->flags |= HAS_B;
        else if (slot == S_METRIC) rec->claims[field->metric] = (double)cell.i, rec->claimed |= 1ull << field->metric;
        break;
    case T_FLOAT:
        if (!parse_float(text, &cell.x)) return 0;
        if (less) break;
        if (slot == S_X) rec->x = cell.x, rec->flags |= HAS_X;
        else if (slot == S_METRIC) rec->claims[field->metric] = cell.x, rec->claimed |= 1ull << field->metric;
        break;
    default:
        cell.i = is(text, "true");
        if (!cell.i && !is(text, "false")) return 0;
    }
    if (UNLIKELY(parser->wants & WANT_CELLS)) VEC_PUSH(chunk->cells, cell);
    return 1;
}

/* A record of nothing yet. */
static inline void blank(const Parser *parser, Rec *rec, Str line) {
    rec->shape = R_RECORD;
    rec->kind = K_NONE, rec->marker = M_NONE, rec->moves = 0, rec->label = LABEL_NONE, rec->flags = 0;
    rec->event = -1, rec->template = -1, rec->cells_n = 0, rec->who = 0;
    rec->raw = line;
    rec->s1.n = rec->s2.n = rec->name.n = 0;
    if (parser->wants & WANT_LESS) memset(rec->tally, 0, sizeof rec->tally);
    else rec->claimed = 0;
}

/* The fields it was given go with the record. */
static inline void keep_cells(Chunk *chunk, Rec *rec) {
    if (LIKELY(chunk->cells.n == 0)) return;
    rec->cells_n = (u32)chunk->cells.n;
    rec->cells = arena_take(&chunk->arena, chunk->cells.n * sizeof(Cell));
    memcpy(rec->cells, chunk->cells.p, chunk->cells.n * sizeof(Cell));
}

/* The record of a line is all there is; `found` and `header` say how the line and its header were taken. */
static inline void conclude(Chunk *chunk, Rec *rec, int found, int header) {
    if (UNLIKELY(found == BAD)) {
        rec->shape = R_REFUSED, rec->kind = K_NONE, rec->marker = M_NONE, rec->moves = 0;
        rec->flags = header == FOUND ? ALIVE : 0;
    }
    rec->until = rec->at_us;
    keep_cells(chunk, rec);
}
#endif
