#include "fleet.h"

#include "fold.h"
#include "text.h"

enum { IN_NOTHING, IN_TRACEBACK, IN_BRACE, IN_BRACKET, IN_BLOCK, IN_MESSAGE };
static const i64 HINT_US = 1000000, SECOND_US = 1000000;
enum { ENDS_KEPT = 10000 };
static const Str COORDINATOR = {(const u8 *)"coordinator", 11};

/* --- whose record is it ------------------------------------------------------------------------------------ */

static int has(const u32 *p, size_t n, u32 wanted) {
    for (size_t i = 0; i < n; i++)
        if (p[i] == wanted) return 1;
    return 0;
}

/* Rotated siblings join; so does a file that begins where the only known log of the worker has ended. */
static Chain *chain_for(Fleet *f, const Rec *rec) {
    Chain *only = NULL;
    size_t known = 0;
    u64 hash = hash_bytes(rec->source.p, rec->source.n), at = hash;
    for (u32 i; (i = index_next(&f->chain_at, hash, &at)) != NONE;) {
        Chain *c = &f->chains.p[i];
        if (!same(text_str(&c->worker->id), rec->source)) continue;
        if (has(c->rotations.p, c->rotations.n, f->file.rotation)) return c;
        known++, only = c;
    }
    if (known == 1 && rec->at_us >= only->worker->last) return only;
    Chain fresh = {.worker = worker_new(rec->source, f->untrusted)};
    VEC_PUSH(f->chains, fresh);
    index_put(&f->chain_at, hash, (u32)f->chains.n - 1);
    return &f->chains.p[f->chains.n - 1];
}

static Chain *chain_of(Fleet *f, const Rec *rec) {
    if (LIKELY(f->here != NULL && same_name(text_str(&f->here->worker->id), rec->source))) return f->here;
    u64 hash = hash_bytes(rec->source.p, rec->source.n), at = hash;
    for (u32 i; (i = index_next(&f->in_file_at, hash, &at)) != NONE;) {
        Chain *known = &f->chains.p[i];
        if (same_name(text_str(&known->worker->id), rec->source)) return f->here = known;
    }
    Chain *c = chain_for(f, rec);
    VEC_PUSH(f->in_file, (u32)(c - f->chains.p));
    index_put(&f->in_file_at, hash, (u32)(c - f->chains.p));
    c->fed = f->file.index + 1;
    VEC_PUSH(c->files, f->file.index);
    VEC_PUSH(c->rotations, f->file.rotation);
    c->steps = 0;
    return f->here = c;
}

/* Whether there is room to keep the line, as `kept`. */
static int keep(Fleet *f, const Rec *rec, i64 line, Kept *kept) {
    if (f->kept_bytes > MOST_KEPT_BYTES) return 0;
    *kept = (Kept){.file = f->file.index, .line = line};
    text_set(&kept->raw, rec->raw.p, rec->raw.n);
    f->kept_bytes += rec->raw.n;
    return 1;
}

u64 security_hash(Str name, int by_file, u32 file, Str source) {
    return mix(hash_bytes(name.p, name.n) + (by_file ? file : hash_bytes(source.p, source.n)));
}

static void security_feed(Fleet *f, const Rec *rec, Place place, int by_file) {
    if (rec->marker != M_SECURITY || is(rec->name, "auth_ok")) return;
    Security *found = NULL;
    u64 hash = security_hash(rec->name, by_file, f->file.index, rec->source), at = hash;
    for (u32 i; found == NULL && (i = index_next(&f->security_at, hash, &at)) != NONE;) {
        Security *s = &f->security.p[i];
        if (s->by_file == by_file && same(text_str(&s->name), rec->name) &&
            (by_file ? s->file == f->file.index : same(text_str(&s->source), rec->source)))
            found = s;
    }
    if (found == NULL) {
        Security s = {.by_file = by_file, .file = f->file.index, .first = rec->at_us, .last = rec->at_us};
        text_set(&s.source, rec->source.p, rec->source.n);
        text_set(&s.name, rec->name.p, rec->name.n);
        text_set(&s.line, rec->raw.p, rec->raw.n);
        VEC_PUSH(f->security, s);
        index_put(&f->security_at, hash, (u32)f->security.n - 1);
        found = &f->security.p[f->security.n - 1];
    }
    found->count++;
    if (rec->at_us > found->last) found->last = rec->at_us;
    if (found->evidence_n < 3) found->evidence[found->evidence_n++] = place;
}

static void coordinator_feed(Fleet *f, const Rec *rec, Place place) {
    Coordinator *c = NULL;
    Kept kept;
    for (size_t i = 0; i < f->coordinators.n && c == NULL; i++)
        if (f->coordinators.p[i].rotation == f->file.rotation) c = &f->coordinators.p[i];
    if (c == NULL) {
        VEC_PUSH(f->coordinators, ((Coordinator){.rotation = f->file.rotation, .first = NO_TIME, .port = NO_TIME, .accepted_file = -1}));
        c = &f->coordinators.p[f->coordinators.n - 1];
    }
    c->file = f->file.index;
    if (c->first == NO_TIME) c->first = c->last = rec->at_us;
    if (rec->at_us - c->last >= SECOND_US) c->pause = (Span){rec->at_us - c->last, c->last};
    if (c->pause.start && (rec->marker == M_CONNECT || rec->marker == M_SECURITY)) {
        if (rec->at_us - (c->pause.start + c->pause.end) < SECOND_US) keep_longest(&c->silences, MOST_SILENCES, c->pause);
        c->pause.start = 0;
    }
    if (rec->at_us > c->last) c->last = rec->at_us;
    if (rec->marker) c->markers[rec->marker]++;
    if (f->light) {
        for (int m = 1; m < MARKERS; m++) c->markers[m] += rec->tally[m];
        return;
    }
    c->counts[rec->kind]++;
    if (rec->kind == K_CONFIG || rec->kind == K_PROCESS_STARTED) {
        if (rec->flags & HAS_A && rec->a > 0 && rec->a < 65536) c->port = rec->a;
        VEC_PUSH(c->starts, rec->at_us);
        VEC_PUSH(c->evidence, place);
    } else if (rec->kind == K_CLOSED) {
        VEC_PUSH(c->stops, rec->at_us);
    } else if (rec->kind == K_DISCONNECTED && c->ended.n < MOST_ENDED && keep(f, rec, place.line, &kept)) {
        VEC_PUSH(c->ended, kept);
    } else if (rec->kind == K_ACCEPTED) {
        if (c->accepted_file != (i64)f->file.index) c->accepted_file = (i64)f->file.index, c->accepted_n = 0;
        if (c->accepted_n++ < MOST_ACCEPTED && keep(f, rec, place.line, &kept)) VEC_PUSH(f->kept, kept);
    }
}

static void feed(Fleet *f, const Rec *rec, i64 line) {
    Place place = {f->file.index, 0, line};
    if (f->rows != NULL) return;
    if (UNLIKELY(same(rec->source, COORDINATOR))) {
        coordinator_feed(f, rec, place);
        if (f->light) return;
        security_feed(f, rec, place, 1);
        return;
    }
    Chain *c = chain_of(f, rec);
    if (f->light) {
        c->known |= worker_feed_light(&f->shared, c->worker, rec, place);
        return;
    }
    if (rec->kind != K_NONE) c->known = 1;
    Kept kept;
    if (UNLIKELY((rec->kind == K_ATTEMPT || rec->kind == K_ESTABLISHED) && c->steps++ < MOST_STEPS && keep(f, rec, line, &kept)))
        VEC_PUSH(f->kept, kept);
    worker_feed(&f->shared, c->worker, rec, place);
    if (UNLIKELY(rec->marker == M_SECURITY)) security_feed(f, rec, place, 0);
}

/* --- metrics blocks ---------------------------------------------------------------------------------------- */

static OpenBlock *open_block(File *file, Str source) {
    for (size_t i = 0; i < file->blocks.n; i++)
        if (same(text_str(&file->blocks.p[i].source), source)) return &file->blocks.p[i];
    return NULL;
}

/* A block is an event of the moment of its first line. */
static void end_block(Fleet *f, size_t i) {
    OpenBlock b = f->file.blocks.p[i];
    memmove(&f->file.blocks.p[i], &f->file.blocks.p[i + 1], (f->file.blocks.n - i - 1) * sizeof b);
    f->file.blocks.n--;
    Rec rec = {.at_us = b.at, .until = b.at, .level = (u8)b.level, .kind = K_BLOCK, .source = text_str(&b.source)};
    static const Str NAME = {(const u8 *)"metrics_block", 13};
    rec.name = NAME, rec.moves = 1 << W_LATENCY | 1 << W_SUCCESS | 1 << W_RATIO;
    if (!f->light) rec.claimed = (u64)b.claimed, rec.claims = b.value;
    if (f->rows != NULL) {
        Row row = {.at = b.at, .line = b.line, .level = (u8)b.level, .event = -1, .name = NAME, .claimed = (u64)b.claimed};
        u8 *source = arena_take(f->arena, rec.source.n);
        memcpy(source, rec.source.p, rec.source.n);
        row.source = (Str){source, rec.source.n};
        row.claims = arena_take(f->arena, sizeof b.value);
        memcpy(row.claims, b.value, sizeof b.value);
        VEC_PUSH(*f->rows, row);
    }
    feed(f, &rec, b.line);
    VEC_FREE(b.source);
}

static void begin_block(Fleet *f, Str source, i64 at, int level, i64 line) {
    for (size_t i = 0; i < f->file.blocks.n; i++)
        if (same(text_str(&f->file.blocks.p[i].source), source)) {
            end_block(f, i);
            break;
        }
    OpenBlock b = {.at = at, .level = level, .line = line};
    text_set(&b.source, source.p, source.n);
    VEC_PUSH(f->file.blocks, b);
}

/* Whether a line belongs to the open block of `source`; 2 when it ends it. */
static int offer(Fleet *f, const Vocab *v, Str source, const Rec *rec) {
    if (LIKELY(rec->label == LABEL_NONE || rec->label == LABEL_HEAD || !f->file.blocks.n)) return 0;
    OpenBlock *b = open_block(&f->file, source);
    if (b == NULL) return 0;
    if (rec->label == LABEL_RULE) {
        end_block(f, (size_t)(b - f->file.blocks.p));
        return 2;
    }
    int metric = v->labels.p[rec->label - 1].metric;
    if (rec->flags & HAS_LABEL_X) b->value[metric] = rec->label_x, b->claimed |= 1ll << metric;
    return 1;
}

/* --- lines without a header -------------------------------------------------------------------------------- */

static void refuse(Fleet *f, const Rec *rec, i64 line) {
    f->file.counts[N_UNPARSED]++;
    if (f->file.examples.n >= EXAMPLES) return;
    Example e = {.line = line};
    text_set(&e.text, rec->raw.p, rec->raw.n);
    VEC_PUSH(f->file.examples, e);
}

static int continues(File *file, const Parser *parser, const Rec *rec) {
    int some_record = file->last != NO_TIME;
    u8 first = rec->raw.n ? rec->raw.p[0] : 0;
    if (file->inside == IN_MESSAGE && (parser->format->structured != NULL || digit(first) || first == '[' || first == '{'))
        file->inside = IN_NOTHING; /* a damaged record may begin so */
    if (rec->flags & TRACEBACK) {
        file->inside = IN_TRACEBACK;
    } else if (file->inside == IN_TRACEBACK) {
        if (rec->flags & INDENTED) return 1;
        file->inside = rec->flags & EXCEPTION ? IN_MESSAGE : IN_NOTHING;
        return (rec->flags & EXCEPTION) != 0;
    } else if (file->inside == IN_MESSAGE) { /* what an exception says may have lines */
        return 1;
    } else if (file->inside == IN_BRACE) {
        if (rec->flags & CLOSES_BRACE) file->inside = IN_NOTHING;
    } else if (file->inside == IN_BRACKET) {
        if (rec->flags & CLOSES_BRACKET) file->inside = IN_NOTHING;
    } else if (some_record && rec->flags & (OPENS_BRACE | OPENS_BRACKET)) {
        file->inside = rec->flags & OPENS_BRACE ? IN_BRACE : IN_BRACKET;
    } else {
        return some_record && rec->flags & INDENTED;
    }
    return 1;
}

/* What a record begins and the lines below it go on with: some log a traceback, or JSON, as their text. */
static inline int opened_by(const Rec *rec) {
    u8 last = rec->text.n ? rec->text.p[rec->text.n - 1] : 0;
    if (UNLIKELY(parse_traceback(rec->text))) return IN_TRACEBACK;
    if (UNLIKELY(space(last))) {
        Str word = trimmed(rec->text);
        last = word.n ? word.p[word.n - 1] : 0;
    }
    return last == '{' ? IN_BRACE : last == '[' ? IN_BRACKET : IN_NOTHING;
}

static void without_header(Fleet *f, const Parser *parser, const Rec *rec, i64 line) {
    File *file = &f->file;
    if (rec->flags & BLANK) {
        file->counts[N_BLANK]++;
        if (file->inside == IN_MESSAGE) file->inside = IN_NOTHING;
        return;
    }
    if (rec->label == LABEL_HEAD) {
        Str source = parser->source.n ? parser->source : rec->s1;
        begin_block(f, source, file->last == NO_TIME ? 0 : file->last, L_INFO, line);
        file->counts[N_CONTINUATION]++;
        text_set(&file->inside_block, source.p, source.n);
        file->inside = IN_BLOCK;
        return;
    }
    if (file->inside == IN_BLOCK) {
        int belongs = offer(f, parser->vocab, text_str(&file->inside_block), rec);
        if (belongs) {
            file->counts[N_CONTINUATION]++;
            if (belongs == 2) file->inside = IN_NOTHING;
            return;
        }
    }
    if (continues(file, parser, rec)) file->counts[N_CONTINUATION]++;
    else refuse(f, rec, line);
}

/* --- templates: what a known line means here --------------------------------------------------------------- */

static void emit(Fleet *f, Rec *rec, const Emit *e, i64 line, int also) {
    File *file = &f->file;
    rec->marker = (u8)(e->session ? (file->established ? M_RECONNECT : M_CONNECT) : e->marker);
    rec->kind = (u8)e->kind, rec->moves = e->moves, rec->event = (int16_t)e->event;
    Str cause = text_str(&e->cause);
    if (also) rec->flags = 0, rec->s1.n = rec->s2.n = 0;
    if (also && !f->light) rec->claimed = 0;
    if (cause.n) rec->s1 = cause, rec->flags |= HAS_TEXT;
    if (e->type.n) rec->flags = (u16)(e->heartbeat ? rec->flags | HEARTBEAT : rec->flags & ~HEARTBEAT);
    if (e->kind == K_LOST && file->hint_at != NO_TIME) {
        i64 since = rec->at_us - file->hint_at;
        if (since >= 0 && since <= HINT_US) rec->s1 = cause = text_str(&file->hint), rec->flags |= HAS_TEXT;
        file->hint_at = NO_TIME;
    }
    if (f->rows != NULL) {
        Row row = {.rec = rec, .at = rec->at_us, .line = line, .source = rec->source, .level = rec->level,
                   .marker = rec->marker, .event = rec->event, .cause = cause, .type = text_str(&e->type), .also = (u8)also};
        VEC_PUSH(*f->rows, row);
    }
    feed(f, rec, line);
}

static int is_set(RunningTasks *set, Str key) {
    i64 at = running_pop(set, key);
    if (at == NO_TIME) return 0;
    running_put(set, key, at);
    return 1;
}

/* A twin line of another logger comes soon, so the last ends are enough. */
static void end_task(File *file, Str task) {
    running_put(&file->ended, task, ++file->ends);
    if (file->ended.used > 2 * ENDS_KEPT) running_drop(&file->ended, file->ends - ENDS_KEPT);
}

/* Later lines of the file mean something else after this one. */
static void remember(File *file, const Rec *rec, Str task) {
    if (rec->kind == K_ESTABLISHED) file->established = file->up = 1;
    else if (rec->kind == K_LOST) file->up = 0;
    else if (rec->kind == K_PROCESS_STARTED) file->debug = rec->level == L_DEBUG;
    else if (rec->kind == K_TASK_STARTED) running_pop(&file->ended, task);
    else if (rec->kind == K_TASK_FAILED || rec->kind == K_TASK_COMPLETED) end_task(file, task);
}

static int by_template(Fleet *f, const Parser *parser, Rec *rec, i64 line) {
    File *file = &f->file;
    if (rec->level == L_DEBUG) file->debug = 1;
    if (rec->template == -1) return 0;
    int odd = rec->template < -1;
    size_t i = (size_t)(odd ? -2 - rec->template : rec->template);
    const Template *t = &parser->format->rows.p[i];
    Str task = rec->name;
    if (t->task < 0) task.n = 0;
    if (t->cause_hint.n) text_set(&file->hint, t->cause_hint.p, t->cause_hint.n), file->hint_at = rec->at_us;
    if (t->emit.event < 0 && t->emit.kind == K_NONE) return 0;
    if (odd || (t->after_start && is_set(&file->ended, task)) || (t->unless_debug && file->debug) || (t->while_down && file->up))
        return 0;
    const Emit *e = &t->emit;
    if (t->then.kind != K_NONE) {
        while (file->seen.n <= (size_t)t->seen) VEC_PUSH(file->seen, ((RunningTasks){0}));
        RunningTasks *seen = &file->seen.p[t->seen];
        if (is_set(seen, task)) e = &t->then;
        else running_put(seen, task, 0);
    }
    rec->name = (Str){(const u8 *)"", 0};
    if (e->event >= 0) rec->name = text_str(&parser->vocab->events.p[e->event].name);
    emit(f, rec, e, line, 0);
    remember(file, rec, task);
    if (t->also.kind != K_NONE) emit(f, rec, &t->also, line, 1);
    return 1;
}

/* --- records ----------------------------------------------------------------------------------------------- */

/* A line of a block is a sign of life too; the block it ends comes after it. */
static void plain(Fleet *f, const Rec *rec, i64 line) {
    Rec alone = *rec;
    alone.kind = K_NONE, alone.marker = M_NONE, alone.moves = 0, alone.flags = 0;
    feed(f, &alone, line);
}

static int belongs(Fleet *f, const Vocab *v, const Rec *rec, i64 line) {
    if (LIKELY(rec->label == LABEL_NONE || !f->file.blocks.n || open_block(&f->file, rec->source) == NULL)) return 0;
    plain(f, rec, line);
    return offer(f, v, rec->source, rec);
}

static void record(Fleet *f, const Parser *parser, Rec *rec, i64 line) {
    File *file = &f->file;
    if (UNLIKELY(rec->label == LABEL_HEAD)) {
        plain(f, rec, line);
        begin_block(f, rec->source, rec->at_us, rec->level, line);
        file->counts[N_PARSED]++;
    } else if (UNLIKELY(belongs(f, parser->vocab, rec, line))) {
        file->counts[N_PARSED]++;
    } else if (parser->format->templates) {
        if (by_template(f, parser, rec, line)) {
            file->counts[N_PARSED]++;
        } else {
            file->counts[N_UNMARKED]++;
            rec->kind = K_NONE;
            feed(f, rec, line);
        }
    } else {
        file->counts[rec->kind != K_NONE ? N_PARSED : N_UNMARKED]++;
        if (f->rows != NULL && rec->kind != K_NONE) {
            Row row = {.rec = rec, .at = rec->at_us, .line = line, .source = rec->source, .level = rec->level,
                       .marker = rec->marker, .event = rec->event, .name = rec->name};
            VEC_PUSH(*f->rows, row);
        }
        feed(f, rec, line);
    }
}

/* Feed records from `rec` on that are of the worker fed last and need no look at each; returns how many those are. */
static size_t feed_many(Fleet *f, const Rec *rec, const Rec *end) {
    File *file = &f->file;
    if (file->first == NO_TIME || f->here == NULL || !f->here->known) return 0;
    if (!same_name(text_str(&f->here->worker->id), rec->source)) return 0;
    Taken taken = worker_feed_many(&f->shared, f->here->worker, rec, end, (Place){file->index, 0, file->lines + 1});
    if (taken.records == 0) return 0;
    file->counts[N_PARSED] += taken.events, file->counts[N_UNMARKED] += taken.records - taken.events;
    file->inside = IN_NOTHING;
    if (taken.until > file->last) file->last = taken.until;
    return (size_t)taken.records;
}

void fleet_chunk(Fleet *f, const Parser *parser, Chunk *chunk) {
    File *file = &f->file;
    int in_a_row = f->rows == NULL && !f->light && file->lines >= file->skip;
    f->arena = &chunk->arena;
    for (size_t i = 0; i < chunk->recs.n; i++) {
        Rec *rec = &chunk->recs.p[i];
        if (LIKELY(in_a_row && rec->who)) {
            size_t many = feed_many(f, rec, chunk->recs.p + chunk->recs.n);
            if (many) {
                i += many - 1;
                continue;
            }
        }
        i64 line = file->lines + rec->line + 1;
        if (UNLIKELY(line <= file->skip)) {
            file->counts[N_DUPLICATE]++;
            continue;
        }
        if (LIKELY(rec->shape == R_RECORD || rec->shape == R_QUIET)) {
            i64 at = rec->at_us, until = rec->until;
            if (rec->shape == R_QUIET) feed(f, rec, line);
            else record(f, parser, rec, line);
            file->inside = parser->format->templates ? opened_by(rec) : IN_NOTHING;
            if (UNLIKELY(file->first == NO_TIME)) file->first = file->last = at;
            if (until > file->last) file->last = until;
        } else if (rec->shape == R_HEADLESS) {
            without_header(f, parser, rec, line);
        } else {
            refuse(f, rec, line);
            if (!(rec->flags & ALIVE)) continue;
            if (parser->format->templates && rec->level == L_DEBUG) file->debug = 1; /* the process writes such lines */
            feed(f, rec, line);
        }
    }
    file->lines += chunk->lines;
}

/* --- life -------------------------------------------------------------------------------------------------- */

static void file_clear(File *file) {
    for (size_t i = 0; i < file->blocks.n; i++) VEC_FREE(file->blocks.p[i].source);
    for (size_t i = 0; i < file->examples.n; i++) VEC_FREE(file->examples.p[i].text);
    for (size_t i = 0; i < file->seen.n; i++) running_free(&file->seen.p[i]);
    running_free(&file->ended);
    VEC_FREE(file->inside_block), VEC_FREE(file->blocks), VEC_FREE(file->examples), VEC_FREE(file->hint), VEC_FREE(file->seen);
    memset(file, 0, sizeof *file);
    file->first = file->last = file->hint_at = NO_TIME;
}

Fleet *fleet_new(const double *rules, size_t n) {
    Fleet *f = need(calloc(1, sizeof *f));
    memset(f->shared.rule_of, -1, sizeof f->shared.rule_of);
    for (const double *r = rules; r < rules + 5 * n; r += 5) {
        i64 *before = &f->shared.rule_of[(int)r[0]];
        VEC_PUSH(f->shared.rules, ((Rule){(i64)r[0], r[1] > 0, r[2], (i64)r[3], (i64)r[4], *before}));
        *before = (i64)f->shared.rules.n - 1;
    }
    file_clear(&f->file);
    return f;
}

void fleet_free(Fleet *f) {
    if (f == NULL) return;
    file_clear(&f->file);
    for (size_t i = 0; i < f->chains.n; i++) {
        worker_free(f->chains.p[i].worker);
        VEC_FREE(f->chains.p[i].files), VEC_FREE(f->chains.p[i].rotations);
    }
    for (size_t i = 0; i < f->coordinators.n; i++) {
        Coordinator *c = &f->coordinators.p[i];
        VEC_FREE(c->starts), VEC_FREE(c->stops), VEC_FREE(c->evidence), VEC_FREE(c->silences);
        for (size_t k = 0; k < c->ended.n; k++) VEC_FREE(c->ended.p[k].raw);
        VEC_FREE(c->ended);
    }
    for (size_t i = 0; i < f->kept.n; i++) VEC_FREE(f->kept.p[i].raw);
    VEC_FREE(f->kept);
    for (size_t i = 0; i < f->security.n; i++) {
        Security *s = &f->security.p[i];
        VEC_FREE(s->source), VEC_FREE(s->name), VEC_FREE(s->line);
    }
    for (size_t i = 0; i < f->shared.causes.n; i++) VEC_FREE(f->shared.causes.p[i]);
    VEC_FREE(f->shared.rules), VEC_FREE(f->shared.causes);
    index_free(&f->shared.cause_at), index_free(&f->chain_at), index_free(&f->in_file_at), index_free(&f->security_at);
    VEC_FREE(f->chains), VEC_FREE(f->coordinators), VEC_FREE(f->security), VEC_FREE(f->in_file);
    free(f);
}

void fleet_begin(Fleet *f, u32 file, u32 rotation, i64 skip, u64 untrusted) {
    file_clear(&f->file);
    f->file.index = file, f->file.rotation = rotation, f->file.skip = skip;
    f->untrusted = untrusted;
    f->in_file.n = 0, f->here = NULL;
    index_free(&f->in_file_at);
}

void fleet_end_file(Fleet *f, const Parser *parser) {
    (void)parser;
    while (f->file.blocks.n) end_block(f, 0); /* what the blocks that the file ended in hold is still good */
}
