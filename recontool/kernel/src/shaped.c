#include "shaped.h"

#include "line.h"
#include "times.h"

static const i64 POWER[] = {100000, 10000, 1000, 100, 10, 1};

Str shaped_group(const Groups *groups, int i) {
    return groups->from[i] == NULL ? (Str){(const u8 *)"", 0} : (Str){groups->from[i], (u32)(groups->to[i] - groups->from[i])};
}

int shaped_parts(const Format *f, Str line, Parts *parts, Trace *trace) {
    for (size_t i = 0; i < f->shapes.n; i++) {
        const Shape *shape = &f->shapes.p[i];
        Groups groups;
        if (!full_match(&f->programs.p[shape->program], line, &groups, trace)) continue;
        parts->second = shaped_group(&groups, shape->second), parts->milli = shaped_group(&groups, shape->milli);
        parts->level = shaped_group(&groups, shape->level), parts->logger = shaped_group(&groups, shape->logger);
        parts->text = shaped_group(&groups, shape->text);
        return 1;
    }
    return 0;
}

u32 shaped_logger(const Format *f, Str name) {
    for (u32 i = 0; i < f->loggers.n; i++)
        if (same(text_str(&f->loggers.p[i].name), name)) return i + 1;
    return 0;
}

/* Whether the text starts as the template's does. */
static int starts_so(const Template *t, Str text, Trace *trace) {
    u64 head = load64(text.p) ^ t->head; /* a chunk has room behind its last line */
    Str starts = text_str(&t->starts);
    if (text.n < starts.n) return 0;
    int so = (head & t->head_mask) == 0 && (starts.n <= 8 || memcmp(text.p + 8, starts.p + 8, starts.n - 8) == 0);
    u32 alike = 0;
    if (UNLIKELY(trace != NULL)) {
        while (alike < starts.n && text.p[alike] == starts.p[alike]) alike++;
        trace_same(trace, text.p, so ? starts.n : alike + 1);
    }
    return so;
}

const Template *shaped_template(const Format *f, u32 logger, Str text, Groups *groups, Trace *trace) {
    if (logger == 0) return NULL;
    const Logger *by = &f->loggers.p[logger - 1];
    for (size_t k = 0; k < by->rows.n; k++) {
        const Template *t = &f->rows.p[by->rows.p[k]];
        if (starts_so(t, text, trace) && full_match(&f->programs.p[t->program], text, groups, trace)) return t;
    }
    return NULL;
}

int shaped_odd(const Vocab *v, const Template *t, const Groups *groups) {
    i64 n;
    if (t->even < 0) return 0;
    int f = t->field_of[t->even];
    return f < 0 || v->fields.p[f].type != T_INT || !parse_int(shaped_group(groups, t->even), &n) || n % 2 != 0;
}

/* Its groups become fields. */
static int fields_of(const Parser *parser, Chunk *chunk, Rec *rec, const Template *t, const Groups *groups) {
    const Format *f = parser->format;
    const EventRow *row = t->emit.event >= 0 ? &parser->vocab->events.p[t->emit.event] : NULL;
    rec->template = (int16_t)(t - f->rows.p);
    if (row != NULL && row->kind == K_METRICS && !(parser->wants & WANT_LESS)) rec->claims = arena_take(&chunk->arena, METRICS * sizeof(double));
    for (u32 g = 0; g < f->programs.p[t->program].groups; g++)
        if (t->field_of[g] >= 0 && groups->from[g] != NULL && !parse_put(parser, chunk, rec, row, t->field_of[g], shaped_group(groups, (int)g)))
            return BAD;
    if (t->task >= 0 && groups->from[t->task] != NULL)
        rec->name = utf8_shown(shaped_group(groups, t->task), &chunk->arena); /* the task, whatever the event wants of it */
    if (shaped_odd(parser->vocab, t, groups)) rec->template = (int16_t)(-2 - rec->template); /* known, and no event */
    return FOUND;
}

int shaped_text(const Parser *parser, Chunk *chunk, Rec *rec, u32 logger) {
    Groups groups;
    parse_label(parser->vocab, rec, rec->text);
    if (rec->label == LABEL_HEAD) return FOUND;
    const Template *t = shaped_template(parser->format, logger, rec->text, &groups, NULL);
    return t == NULL ? FOUND : fields_of(parser, chunk, rec, t, &groups);
}

static int header_of(const Parser *parser, Chunk *chunk, Rec *rec, const Parts *parts) {
    if (parts->second.n != 19) return BAD;
    int time = parse_second(chunk, parts->second.p, parts->second.p[10], &rec->at_us);
    if (time != FOUND) return BAD;
    for (u32 k = 0; k < 6 && k < parts->milli.n; k++) { /* milliseconds, microseconds or what else stands behind the comma */
        if (!digit(parts->milli.p[k])) return BAD;
        rec->at_us += (parts->milli.p[k] - '0') * POWER[k];
    }
    rec->at_us = time_in_utc(parser, chunk, rec->at_us);
    rec->level = vocab_level(parser->vocab, parts->level);
    rec->source = parser->source;
    rec->text = parts->text;
    return FOUND;
}

int shaped_line(const Parser *parser, Chunk *chunk, Str line, Rec *rec, int *header) {
    Parts parts;
    *header = shaped_parts(parser->format, line, &parts, NULL) ? header_of(parser, chunk, rec, &parts) : NO_HEADER;
    return *header == FOUND ? shaped_text(parser, chunk, rec, shaped_logger(parser->format, parts.logger)) : *header;
}
