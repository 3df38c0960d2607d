/* What Python may call. Everything here runs without Python's lock; one fleet or chunk is used by one thread at a time. */
#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#include "claims.h"
#include "fleet.h"
#include "fold.h"
#include "structured.h"
#include "table.h"
#include "times.h"

enum { ABI = 6, PAGE = 4096, PIECE = 1 << 12 };

EXPORT int recon_abi(void) { return ABI; }
EXPORT int recon_totals(void) { return TOTALS; }
EXPORT int recon_columns(void) { return COLUMNS; }

/* What the kernel makes of an event, to find its counts by. */
EXPORT int recon_kind(const Vocab *v, const char *marker, const char *name) {
    int m = marker_of((Str){(const u8 *)marker, (u32)strlen(marker)});
    Str wanted = {(const u8 *)name, (u32)strlen(name)};
    for (size_t i = 0; i < v->events.n; i++)
        if (v->events.p[i].marker == m && same(text_str(&v->events.p[i].name), wanted)) return v->events.p[i].kind;
    return -1;
}

EXPORT Vocab *recon_vocab_new(const char *table) { return vocab_new(table); }
EXPORT void recon_vocab_free(Vocab *v) { vocab_free(v); }
EXPORT Format *recon_format_new(const Vocab *v, const char *table) { return format_new(v, table); }
EXPORT void recon_format_free(Format *f) { format_free(f); }
/* Lines of the format are JSON or logfmt, whose keys mean what `table` says; 0 when it makes no sense. */
EXPORT int recon_format_structured(Format *f, const Vocab *v, const char *table) {
    f->structured = structured_new(v, table);
    return f->structured != NULL;
}

EXPORT Parser *recon_parser_new(const Vocab *v, const Format *f, const u8 *source, u32 n, int wants) {
    Parser *p = need(calloc(1, sizeof *p));
    u8 *own = need(calloc(1, n + 8u)); /* names are compared by eight bytes at a time */
    memcpy(own, source, n);
    *p = (Parser){.vocab = v, .format = f, .source = {own, n}, .wants = wants, .kin = f->serial << 2 | (u64)wants};
    return p;
}
/* Times without a zone are those of clocks that go as `steps` say: pairs of words, the last one where the table ends. */
EXPORT void recon_parser_zone(Parser *p, const i64 *steps, i64 n) {
    static u64 zones;
    ZoneStep *own = need(malloc((size_t)n * sizeof *own));
    memcpy(own, steps, (size_t)n * sizeof *own);
    p->zone = own, p->zone_n = (size_t)n, p->zone_serial = __atomic_add_fetch(&zones, 1, __ATOMIC_RELAXED);
}
EXPORT void recon_parser_free(Parser *p) {
    if (p == NULL) return;
    free((void *)(uintptr_t)p->source.p);
    free((void *)(uintptr_t)p->zone);
    free(p);
}

EXPORT int recon_width(int most) { return parse_width(most); }
EXPORT Chunk *recon_chunk_new(void) { return cleared(_Alignof(Chunk), sizeof(Chunk)); }
EXPORT void recon_chunk_free(Chunk *c) {
    if (c == NULL) return;
    chunk_free(c);
    free(c);
}

static void room(Chunk *c, size_t wanted, size_t kept) {
    if (wanted + PADDING <= c->room) return;
    size_t bigger = (wanted + wanted / 2 + PADDING + PAGE - 1) & ~(size_t)(PAGE - 1);
    u8 *fresh = need(aligned_alloc(PAGE, bigger));
    if (kept) memcpy(fresh, c->buffer, kept);
    free(c->buffer);
    c->buffer = fresh, c->room = bigger;
}

static i64 read_at(int fd, u8 *to, size_t n, i64 offset) {
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(fd, to + done, n - done, (off_t)(offset + (i64)done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (i64)done;
}

/* Read the lines that start in [offset, offset + size) of a file of `limit` bytes, the last one to its end.
 * A line belongs to the range it starts in. Returns their number of bytes, or -errno.
 *
 * Bytes land at the same place in a page of memory as they have in a page of the file: copied to any other place they
 * take the system three times as long. */
EXPORT i64 recon_chunk_read(Chunk *c, int fd, i64 offset, i64 size, i64 limit) {
    i64 start = offset > 0 ? offset - 1 : 0; /* one byte more tells whether a line starts right here */
    i64 stop = offset + size < limit ? offset + size : limit;
    size_t base = (size_t)(start & (PAGE - 1));
    c->from = c->n = 0;
    if (stop <= start) return 0;
    room(c, base + (size_t)(stop - start), 0);
    i64 got = read_at(fd, c->buffer + base, (size_t)(stop - start), start);
    if (got <= 0) return got;
    size_t n = base + (size_t)got, from = base;
    if (offset > 0) {
        const u8 *newline = memchr(c->buffer + base, '\n', (size_t)got);
        if (newline == NULL || newline + 1 == c->buffer + n) return 0;
        from = (size_t)(newline + 1 - c->buffer);
    }
    size_t last = n; /* where the last line starts */
    while (last > from && c->buffer[last - 1] != '\n') last--;
    for (i64 at = start + got; c->buffer[n - 1] != '\n' && at < limit && n - last <= MAX_LINE; at += got) {
        i64 more = limit - at < PIECE ? limit - at : PIECE;
        room(c, n + (size_t)more, n);
        got = read_at(fd, c->buffer + n, (size_t)more, at);
        if (got < 0) return got;
        if (got == 0) break;
        const u8 *newline = memchr(c->buffer + n, '\n', (size_t)got);
        n = newline != NULL ? (size_t)(newline + 1 - c->buffer) : n + (size_t)got;
    }
    c->from = from, c->n = n - from;
    return (i64)c->n;
}

/* Take whole lines that Python has read or unpacked. */
EXPORT void recon_chunk_give(Chunk *c, const u8 *p, i64 n) {
    room(c, (size_t)n, 0);
    memcpy(c->buffer, p, (size_t)n);
    c->from = 0, c->n = (size_t)n;
}

EXPORT i64 recon_chunk_parse(Chunk *c, const Parser *parser) {
    if (c->n == 0) {
        c->recs.n = c->lines = 0;
        return 0;
    }
    memset(c->buffer + c->from + c->n, 0, PADDING); /* words may be loaded whole */
    parse_lines(parser, c, c->buffer + c->from, c->n);
    return c->lines;
}

EXPORT Fleet *recon_fleet_new(const double *rules, i64 n) { return fleet_new(rules, (size_t)n); }
EXPORT void recon_fleet_lighten(Fleet *f) { f->light = 1; }
EXPORT void recon_fleet_free(Fleet *f) { fleet_free(f); }
EXPORT void recon_fleet_begin(Fleet *f, u32 file, u32 rotation, i64 skip, u64 untrusted) { fleet_begin(f, file, rotation, skip, untrusted); }
EXPORT void recon_fleet_chunk(Fleet *f, const Parser *p, Chunk *c) { fleet_chunk(f, p, c); }
EXPORT void recon_fleet_end_file(Fleet *f, const Parser *p) { fleet_end_file(f, p); }
EXPORT void recon_fleet_finish(Fleet *f) {
    for (size_t i = 0; i < f->chains.n; i++) worker_finish(&f->shared, f->chains.p[i].worker);
}

/* The state as bytes, to go on from later; `recon_free` them. */
EXPORT u8 *recon_fleet_save(Fleet *f, i64 *n) {
    Wire w = {0};
    fleet_wire(&w, f);
    *n = (i64)w.out.n;
    return w.out.p;
}
EXPORT int recon_fleet_load(Fleet *f, const u8 *p, i64 n) {
    Wire w = {.reading = 1, .in = p, .left = (size_t)n};
    fleet_wire(&w, f);
    return !w.bad && w.left == 0;
}
EXPORT void recon_free(void *p) { free(p); }

/* --- what Python sees of a state: pointers stay good until the fleet is fed again ----------------------------- */

typedef struct {
    i64 lines, counts[COUNTS], first, last, examples_n;
    i64 example_line[EXAMPLES];
    const u8 *example[EXAMPLES];
    i64 example_n[EXAMPLES];
} FileView;

EXPORT void recon_file_view(const Fleet *f, FileView *v) {
    const File *file = &f->file;
    v->lines = file->lines, v->first = file->first, v->last = file->last;
    memcpy(v->counts, file->counts, sizeof v->counts);
    v->examples_n = (i64)file->examples.n;
    for (size_t i = 0; i < file->examples.n; i++) {
        v->example_line[i] = file->examples.p[i].line;
        v->example[i] = file->examples.p[i].text.p;
        v->example_n[i] = (i64)file->examples.p[i].text.n;
    }
}

typedef struct {
    const u8 *id;
    i64 id_n, known, in_file;
    const u32 *files;
    i64 files_n;
    i64 started, first, last, marked, debug, plain, start_seen, has_claim, port;
    i64 markers[MARKERS];
    u64 claimed;
    const Claim *claim;
    const i128 *settled, *current;
    const i64 *starts, *stops;
    i64 starts_n, stops_n;
    const u8 *config;
    i64 config_n, config_file;
    i64 running;
    const u8 *first_error;
    i64 first_error_n, first_error_file, first_error_line;
    const double *sample;
    i64 sample_n;
    i64 gaps_configured;
    const Span *silences;
    i64 silences_n;
    const i64 *distances[PERIODICS];
    i64 distances_n[PERIODICS];
    i64 width;
    const Bucket *buckets;
    i64 buckets_n;
    const Outage *outages;
    i64 outages_n, has_open;
    const Outage *open;
    const Span *flaps, *absences;
    i64 flaps_n, absences_n, state, pending;
    i64 first_established, longest, restarts, gave_up, most_per_minute, absent_us, absent_since;
    i64 outage_us_low, outage_us_high;
    i64 processes, outcomes[OUTCOMES];
} WorkerView;

EXPORT i64 recon_workers(const Fleet *f) { return (i64)f->chains.n; }

EXPORT void recon_worker_view(const Fleet *f, i64 i, WorkerView *v) {
    const Chain *c = &f->chains.p[i];
    const Worker *w = c->worker;
    const Timeline *t = &w->timeline;
    memset(v, 0, sizeof *v);
    v->id = w->id.p, v->id_n = (i64)w->id.n, v->known = c->known;
    v->in_file = c->fed == f->file.index + 1;
    v->files = c->files.p, v->files_n = (i64)c->files.n;
    v->started = w->started, v->first = w->first, v->last = w->last, v->marked = w->marked, v->debug = w->debug;
    v->plain = w->plain, v->start_seen = w->start_seen, v->has_claim = w->has_claim, v->port = w->port;
    memcpy(v->markers, w->markers, sizeof v->markers);
    v->claimed = w->claimed, v->claim = &w->claim, v->settled = w->settled.t, v->current = w->current.t;
    v->starts = w->starts.p, v->starts_n = (i64)w->starts.n, v->stops = w->stops.p, v->stops_n = (i64)w->stops.n;
    v->config = w->config.p, v->config_n = (i64)w->config.n, v->config_file = w->config_file;
    v->running = (i64)w->running.used;
    v->first_error = w->first_error.p, v->first_error_n = (i64)w->first_error.n;
    v->first_error_file = w->first_error_at.file, v->first_error_line = w->first_error_at.line;
    v->sample = w->sample.p, v->sample_n = (i64)w->sample.n;
    v->gaps_configured = w->gaps.configured;
    v->silences = w->gaps.heap.p, v->silences_n = (i64)w->gaps.heap.n;
    for (int k = 0; k < PERIODICS; k++) v->distances[k] = w->gaps.distances[k].p, v->distances_n[k] = (i64)w->gaps.distances[k].n;
    v->width = w->activity.width, v->buckets = w->activity.buckets.p, v->buckets_n = (i64)w->activity.buckets.n;
    v->outages = t->outages.p, v->outages_n = (i64)t->outages.n, v->has_open = t->has_open, v->open = &t->open;
    v->flaps = t->flaps.p, v->flaps_n = (i64)t->flaps.n, v->absences = t->absences.p, v->absences_n = (i64)t->absences.n;
    v->state = t->state, v->pending = t->pending, v->first_established = t->first_established, v->longest = t->longest;
    v->restarts = t->restarts, v->gave_up = t->gave_up, v->most_per_minute = t->most_per_minute;
    v->absent_us = t->absent_us, v->absent_since = t->absent_since;
    v->outage_us_low = (i64)(u64)t->outage_us, v->outage_us_high = (i64)(t->outage_us >> 64);
    v->processes = (i64)w->ended.n + 1;
    memcpy(v->outcomes, w->outcomes, sizeof v->outcomes);
}

EXPORT i64 recon_samples(const Fleet *f, i64 worker, i64 rule, const Sample **samples) {
    const Watch *x = &f->chains.p[worker].worker->watch;
    if ((size_t)rule >= x->rules.n) return 0;
    *samples = x->rules.p[rule].samples.p;
    return (i64)x->rules.p[rule].samples.n;
}

/* What process `i` (the last one is the running one) said last: by metric the claim, or NULL. */
EXPORT void recon_said(const Fleet *f, i64 worker, i64 i, const Spoken **spoken) {
    const Worker *w = f->chains.p[worker].worker;
    size_t ended = w->ended.n;
    size_t first = ended == KEPT_PROCESSES ? w->ended_from % KEPT_PROCESSES : 0;
    const Said *said = (size_t)i == ended ? &w->said : &w->ended.p[(first + (size_t)i) % (ended ? ended : 1)];
    for (int m = 0; m < METRICS; m++) spoken[m] = said->slot_of[m] < 0 ? NULL : &said->slot.p[said->slot_of[m]];
}

EXPORT i64 recon_cause(const Fleet *f, i64 i, const u8 **p) {
    *p = f->shared.causes.p[i].p;
    return (i64)f->shared.causes.p[i].n;
}
EXPORT i64 recon_causes(const Fleet *f) { return (i64)f->shared.causes.n; }

typedef struct {
    i64 rotation, file, first, last, port, markers[MARKERS], counts[KINDS];
    const i64 *starts, *stops;
    i64 starts_n, stops_n;
    const Place *evidence;
    const Span *silences;
    i64 silences_n, ended_n;
} CoordinatorView;

EXPORT i64 recon_coordinators(const Fleet *f) { return (i64)f->coordinators.n; }
EXPORT int recon_kinds(void) { return KINDS; }
EXPORT void recon_coordinator_view(const Fleet *f, i64 i, CoordinatorView *v) {
    const Coordinator *c = &f->coordinators.p[i];
    v->rotation = c->rotation, v->file = c->file, v->first = c->first, v->last = c->last, v->port = c->port;
    memcpy(v->markers, c->markers, sizeof v->markers);
    memcpy(v->counts, c->counts, sizeof v->counts);
    v->starts = c->starts.p, v->starts_n = (i64)c->starts.n, v->stops = c->stops.p, v->stops_n = (i64)c->stops.n;
    v->evidence = c->evidence.p;
    v->silences = c->silences.p, v->silences_n = (i64)c->silences.n, v->ended_n = (i64)c->ended.n;
}

/* A line kept for Python: of those a coordinator saw sessions end by, or (-1) of all steps of connections. */
EXPORT i64 recon_kept(const Fleet *f, i64 coordinator, i64 i, i64 *file, i64 *line, const u8 **raw) {
    const Kept *kept = coordinator < 0 ? &f->kept.p[i] : &f->coordinators.p[coordinator].ended.p[i];
    *file = kept->file, *line = kept->line, *raw = kept->raw.p;
    return (i64)kept->raw.n;
}
EXPORT i64 recon_steps(const Fleet *f) { return (i64)f->kept.n; }

typedef struct {
    const u8 *source, *name, *line;
    i64 source_n, name_n, line_n, by_file, file, count, first, last, evidence_n;
    Place evidence[3];
} SecurityView;

EXPORT i64 recon_securities(const Fleet *f) { return (i64)f->security.n; }
EXPORT void recon_security_view(const Fleet *f, i64 i, SecurityView *v) {
    const Security *s = &f->security.p[i];
    v->source = s->source.p, v->source_n = (i64)s->source.n, v->name = s->name.p, v->name_n = (i64)s->name.n;
    v->line = s->line.p, v->line_n = (i64)s->line.n, v->by_file = s->by_file, v->file = s->file;
    v->count = s->count, v->first = s->first, v->last = s->last, v->evidence_n = s->evidence_n;
    memcpy(v->evidence, s->evidence, sizeof v->evidence);
}

/* --- events as columns ---------------------------------------------------------------------------------------- */

EXPORT Table *recon_table_new(const Vocab *v) { return table_new(v); }
EXPORT void recon_table_free(Table *t) { table_free(t); }

EXPORT Rows *recon_rows_new(void) { return need(calloc(1, sizeof(Rows))); }
EXPORT void recon_rows_free(Rows *r) {
    if (r == NULL) return;
    VEC_FREE(*r);
    free(r);
}
/* The rows of the next lines of a file, in order; they point into the chunk. */
EXPORT void recon_rows_take(Fleet *f, const Parser *p, Chunk *c, Rows *rows) {
    rows->n = 0;
    f->rows = rows;
    fleet_chunk(f, p, c);
    f->rows = NULL;
}
/* Those of the blocks that the file ended in. */
EXPORT void recon_rows_rest(Fleet *f, const Parser *p, Chunk *c, Rows *rows) {
    rows->n = 0;
    f->rows = rows, f->arena = &c->arena;
    fleet_end_file(f, p);
    f->rows = NULL;
}
EXPORT i64 recon_table_fill(Table *t, const Vocab *v, const Rows *rows, const Wanted *wanted) {
    table_fill(t, v, rows, wanted);
    return t->n;
}

typedef struct {
    const i64 *at, *line;
    const int32_t *level, *marker, *event, *source;
    i64 sources_n, names_n;
} TableView;

EXPORT void recon_table_view(const Table *t, TableView *v) {
    *v = (TableView){t->at.p, t->line.p, t->level.p, t->marker.p, t->event.p, t->source.p, (i64)t->sources.texts.n, (i64)t->names.texts.n};
}
EXPORT i64 recon_table_text(const Table *t, int names, i64 i, const u8 **p) {
    const Text *text = names ? &t->names.texts.p[i] : &t->sources.texts.p[i];
    *p = text->p;
    return (i64)text->n;
}

typedef struct {
    i64 used, data_n;
    const u8 *valid, *data;
    const i64 *words;
    const int32_t *offsets;
} ColumnView;

EXPORT void recon_column_view(const Table *t, i64 i, ColumnView *v) {
    const Column *c = &t->fields.p[i];
    *v = (ColumnView){c->used, (i64)c->data.n, c->valid.p, c->data.p, c->words.p, c->offsets.p};
}

/* The time of the first whole line at or after `offset`, for a search by time; NO_TIME when none is near. */
EXPORT i64 recon_time_at(Chunk *c, const Parser *p, int fd, i64 offset, i64 limit, i64 *line_at) {
    i64 n = recon_chunk_read(c, fd, offset, 4 * PIECE, limit);
    if (n <= 0) return NO_TIME;
    recon_chunk_parse(c, p);
    for (size_t i = 0; i < c->recs.n; i++)
        if (c->recs.p[i].shape == R_RECORD) {
            i64 start = offset > 0 ? offset - 1 : 0;
            *line_at = start + (i64)(c->recs.p[i].raw.p - c->buffer) - (i64)(start & (PAGE - 1));
            return c->recs.p[i].at_us;
        }
    return NO_TIME;
}
EXPORT i64 recon_count_lines(Chunk *c, int fd, i64 end) {
    i64 lines = 0;
    room(c, 1 << 18, 0);
    for (i64 at = 0; at < end;) {
        i64 size = end - at < 1 << 18 ? end - at : 1 << 18, got = read_at(fd, c->buffer, (size_t)size, at);
        if (got < 0) return got;
        if (got == 0) break;
        for (i64 k = 0; k < got; k++) lines += c->buffer[k] == '\n';
        at += got;
    }
    return lines;
}
EXPORT void recon_fleet_count_from(Fleet *f, i64 lines) { f->file.lines = lines; }

/* Whether program `i` of a format matches all of a text; fills start and end of each group, -1 where it took no part. */
EXPORT int recon_match(const Format *f, i64 i, const u8 *p, i64 n, i64 *spans) {
    Groups groups;
    Str text = {p, (u32)n};
    if (!full_match(&f->programs.p[i], text, &groups, NULL)) return 0;
    for (u32 g = 0; g < f->programs.p[i].groups; g++) {
        spans[2 * g] = groups.from[g] == NULL ? -1 : groups.from[g] - p;
        spans[2 * g + 1] = groups.from[g] == NULL ? -1 : groups.to[g] - p;
    }
    return 1;
}
