/* The state of a fleet as bytes, and back: one description for both ways. */
#include "fleet.h"
#include "fold.h"

static void file_wire(Wire *w, File *file) {
    WIRE(w, file->index), WIRE(w, file->rotation), WIRE(w, file->lines), WIRE(w, file->counts);
    WIRE(w, file->first), WIRE(w, file->last), WIRE(w, file->skip), WIRE(w, file->inside);
    WIRE_VEC(w, file->inside_block);
    WIRE_COUNT(w, file->blocks, 1);
    for (size_t i = 0; i < file->blocks.n; i++) {
        OpenBlock *b = &file->blocks.p[i];
        if (w->reading) memset(b, 0, sizeof *b);
        WIRE_VEC(w, b->source);
        WIRE(w, b->at), WIRE(w, b->line), WIRE(w, b->claimed), WIRE(w, b->level), WIRE(w, b->value);
    }
    WIRE_COUNT(w, file->examples, 1);
    for (size_t i = 0; i < file->examples.n; i++) {
        Example *e = &file->examples.p[i];
        if (w->reading) memset(e, 0, sizeof *e);
        WIRE(w, e->line);
        WIRE_VEC(w, e->text);
    }
    WIRE(w, file->debug), WIRE(w, file->established), WIRE(w, file->up), WIRE(w, file->hint_at);
    WIRE_VEC(w, file->hint);
    running_wire(w, &file->ended);
    WIRE(w, file->ends);
    WIRE_COUNT(w, file->seen, 1);
    for (size_t i = 0; i < file->seen.n; i++) {
        if (w->reading) memset(&file->seen.p[i], 0, sizeof(RunningTasks));
        running_wire(w, &file->seen.p[i]);
    }
}

static void kept_wire(Wire *w, Kept *kept) {
    if (w->reading) memset(kept, 0, sizeof *kept);
    WIRE(w, kept->file), WIRE(w, kept->line);
    WIRE_VEC(w, kept->raw);
}

static void coordinator_wire(Wire *w, Coordinator *c) {
    WIRE(w, c->rotation), WIRE(w, c->file), WIRE(w, c->first), WIRE(w, c->last), WIRE(w, c->port);
    WIRE(w, c->markers), WIRE(w, c->counts);
    WIRE_VEC(w, c->starts);
    WIRE_VEC(w, c->stops);
    WIRE_VEC(w, c->evidence);
    WIRE_VEC(w, c->silences);
    WIRE(w, c->pause);
    WIRE_COUNT(w, c->ended, 1);
    for (size_t i = 0; i < c->ended.n; i++) kept_wire(w, &c->ended.p[i]);
    WIRE(w, c->accepted_n), WIRE(w, c->accepted_file);
}

static void security_wire(Wire *w, Security *s) {
    WIRE_VEC(w, s->source);
    WIRE_VEC(w, s->name);
    WIRE_VEC(w, s->line);
    WIRE(w, s->by_file), WIRE(w, s->file), WIRE(w, s->count), WIRE(w, s->first), WIRE(w, s->last);
    WIRE(w, s->evidence_n), WIRE(w, s->evidence);
    if (w->reading && (s->evidence_n < 0 || s->evidence_n > 3)) w->bad = 1, s->evidence_n = 0;
}

static u64 hash_of(const Text *t) { return hash_bytes(t->p, t->n); }

/* What was read names things by number; enter their names. */
static void reindex(Fleet *f) {
    for (size_t i = 0; i < f->shared.causes.n; i++) index_put(&f->shared.cause_at, hash_of(&f->shared.causes.p[i]), (u32)i);
    for (size_t i = 0; i < f->chains.n; i++) index_put(&f->chain_at, hash_of(&f->chains.p[i].worker->id), (u32)i);
    for (size_t i = 0; i < f->in_file.n; i++) {
        Chain *c = &f->chains.p[f->in_file.p[i]];
        index_put(&f->in_file_at, hash_of(&c->worker->id), f->in_file.p[i]);
        c->fed = f->file.index + 1;
    }
    for (size_t i = 0; i < f->security.n; i++) {
        Security *s = &f->security.p[i];
        u64 hash = security_hash(text_str(&s->name), (int)s->by_file, s->file, text_str(&s->source));
        index_put(&f->security_at, hash, (u32)i);
    }
}

void fleet_wire(Wire *w, Fleet *f) {
    WIRE_COUNT(w, f->shared.causes, 1);
    for (size_t i = 0; i < f->shared.causes.n; i++) {
        if (w->reading) memset(&f->shared.causes.p[i], 0, sizeof(Text));
        WIRE_VEC(w, f->shared.causes.p[i]);
    }
    WIRE_COUNT(w, f->chains, 1);
    for (size_t i = 0; i < f->chains.n; i++) {
        Chain *c = &f->chains.p[i];
        if (w->reading) memset(c, 0, sizeof *c), c->worker = worker_new((Str){(const u8 *)"", 0}, 0);
        worker_wire(w, c->worker);
        size_t watched = c->worker->watch.rules.n;
        if (watched && watched != f->shared.rules.n) w->bad = 1;
        WIRE_VEC(w, c->files);
        WIRE_VEC(w, c->rotations);
        WIRE(w, c->known), WIRE(w, c->steps);
    }
    WIRE_COUNT(w, f->coordinators, 1);
    for (size_t i = 0; i < f->coordinators.n; i++) {
        if (w->reading) memset(&f->coordinators.p[i], 0, sizeof(Coordinator));
        coordinator_wire(w, &f->coordinators.p[i]);
    }
    WIRE_COUNT(w, f->security, 1);
    for (size_t i = 0; i < f->security.n; i++) {
        if (w->reading) memset(&f->security.p[i], 0, sizeof(Security));
        security_wire(w, &f->security.p[i]);
    }
    WIRE_COUNT(w, f->kept, 1);
    for (size_t i = 0; i < f->kept.n; i++) kept_wire(w, &f->kept.p[i]);
    WIRE(w, f->kept_bytes);
    WIRE_VEC(w, f->in_file);
    WIRE(w, f->untrusted);
    file_wire(w, &f->file);
    f->here = NULL;
    for (size_t i = 0; w->reading && i < f->in_file.n; i++)
        if (f->in_file.p[i] >= f->chains.n) w->bad = 1, f->in_file.n = 0;
    if (w->reading && !w->bad) reindex(f);
}
