#include "vocab.h"

#include "structured.h"
#include "text.h"

const char *const METRIC_NAMES[METRICS] = {
    "connection_attempts", "successful_connections", "avg_reconnect_time", "max_reconnect_time",
    "connection_stability", "messages_sent", "messages_received", "avg_message_latency_ms",
    "avg_message_size_bytes", "message_errors", "tasks_executed", "task_success_rate",
    "avg_task_execution_time_ms", "checkpoints_created", "checkpoints_restored", "compression_ratio",
    "compression_time_ms", "decompression_time_ms", "reconnections", "reconnections_per_minute",
    "failed_reconnections", "failed_reconnections_total", "avg_message_latency", "uptime_s", "queue_depth",
    "messages_acked",
};

static const char *const MARKER_NAMES[MARKERS] = {
    "", "CONNECT", "RECONNECT", "SYNC", "CHECKPOINT", "TASK", "SECURITY", "COMPRESS",
};

static const struct {
    u8 marker;
    const char *name;
    u8 kind;
} KIND_OF[] = {
    {M_CONNECT, "attempt", K_ATTEMPT}, {M_RECONNECT, "attempt", K_ATTEMPT},
    {M_CONNECT, "failed", K_ATTEMPT_FAILED}, {M_RECONNECT, "failed", K_ATTEMPT_FAILED},
    {M_CONNECT, "established", K_ESTABLISHED}, {M_RECONNECT, "established", K_ESTABLISHED},
    {M_CONNECT, "closed", K_CLOSED}, {M_RECONNECT, "lost", K_LOST}, {M_RECONNECT, "gave_up", K_GAVE_UP},
    {M_TASK, "started", K_TASK_STARTED}, {M_TASK, "completed", K_TASK_COMPLETED},
    {M_TASK, "failed", K_TASK_FAILED}, {M_TASK, "cancelled", K_TASK_CANCELLED},
    {M_CHECKPOINT, "created", K_CREATED}, {M_CHECKPOINT, "restored", K_RESTORED},
    {M_COMPRESS, "compressed", K_COMPRESSED}, {M_COMPRESS, "decompressed", K_DECOMPRESSED},
    {M_NONE, "message_sent", K_SENT}, {M_NONE, "message_received", K_RECEIVED}, {M_NONE, "message_acked", K_ACKED},
    {M_NONE, "message_error", K_MESSAGE_ERROR}, {M_NONE, "config", K_CONFIG},
    {M_NONE, "process_started", K_PROCESS_STARTED}, {M_NONE, "process_stopping", K_PROCESS_STOPPING}, {M_NONE, "metrics", K_METRICS},
    {M_NONE, "metrics_block", K_BLOCK}, {M_NONE, "status", K_STATUS}, {M_CONNECT, "accepted", K_ACCEPTED},
    {M_CONNECT, "disconnected", K_DISCONNECTED}, {M_SECURITY, "auth_failed", K_AUTH_FAILED},
    {M_TASK, "submitted", K_SUBMITTED}, {M_TASK, "assigned", K_ASSIGNED}, {M_TASK, "applied", K_APPLIED},
    {M_TASK, "duplicate", K_DUPLICATE},
};

static const struct {
    u8 kind;
    const char *field;
    u8 slot;
} SLOT_OF[] = {
    {K_ATTEMPT, "url", S_TEXT}, {K_LOST, "cause", S_TEXT}, {K_LOST, "code", S_A},
    {K_TASK_STARTED, "task", S_TEXT}, {K_TASK_CANCELLED, "task", S_TEXT},
    {K_TASK_COMPLETED, "task", S_TEXT}, {K_TASK_COMPLETED, "took_ms", S_X},
    {K_TASK_FAILED, "task", S_TEXT}, {K_TASK_FAILED, "took_ms", S_X}, {K_TASK_FAILED, "error", S_MORE_TEXT},
    {K_COMPRESSED, "raw_bytes", S_A}, {K_COMPRESSED, "wire_bytes", S_B}, {K_COMPRESSED, "took_ms", S_X},
    {K_DECOMPRESSED, "took_ms", S_X}, {K_SENT, "size_bytes", S_A}, {K_SENT, "type", S_HEARTBEAT},
    {K_ACKED, "rtt_ms", S_X}, {K_CONFIG, "log_level", S_DEBUG}, {K_CONFIG, "metrics_interval", S_X},
    {K_CONFIG, "port", S_A}, {K_PROCESS_STARTED, "port", S_A},
};

int marker_of(Str name) {
    static const u8 BY_LENGTH[11][2] = {[4] = {M_SYNC, M_TASK}, [7] = {M_CONNECT}, [8] = {M_SECURITY, M_COMPRESS},
                                        [9] = {M_RECONNECT}, [10] = {M_CHECKPOINT}};
    if (name.n > 10) return 0;
    for (int i = 0; i < 2 && BY_LENGTH[name.n][i]; i++)
        if (memcmp(name.p, MARKER_NAMES[BY_LENGTH[name.n][i]], 4) == 0 && is(name, MARKER_NAMES[BY_LENGTH[name.n][i]]))
            return BY_LENGTH[name.n][i];
    return 0;
}

const char *marker_name(int marker) { return MARKER_NAMES[marker]; }

static inline Named key_of(Str name, int marker) {
    u64 head = load64(name.p), tail = head;
    if (name.n < 8) head = tail = head & ((1ull << 8 * name.n) - 1);
    else tail = load64(name.p + name.n - 8);
    return (Named){head, tail, name.n, -1, (int16_t)marker};
}

static inline u32 place_of(const Named *key) {
    u64 word = key->head ^ (key->tail << 7 | key->tail >> 57) ^ (u64)key->n << 50 ^ (u64)key->marker << 59;
    return (u32)(word * 0x9E3779B97F4A7C15u >> 54);
}

static inline int found_in(const Named *table, Str name, int marker, const u8 *middle_of(const Vocab *, int), const Vocab *v) {
    Named key = key_of(name, marker);
    for (u32 at = place_of(&key);; at++) {
        const Named *slot = &table[at & (NAMED - 1)];
        if (slot->n == 0) return -1;
        if (slot->head == key.head && slot->tail == key.tail && slot->n == key.n && slot->marker == key.marker &&
            (key.n <= 16 || memcmp(middle_of(v, slot->index), name.p, name.n) == 0))
            return slot->index;
    }
}

static const u8 *field_name(const Vocab *v, int i) { return v->fields.p[i].name.p; }
static const u8 *event_name(const Vocab *v, int i) { return v->events.p[i].name.p; }

int vocab_field(const Vocab *v, Str name) { return found_in(v->field_at, name, 0, field_name, v); }
int vocab_event(const Vocab *v, int marker, Str name) { return found_in(v->event_at, name, marker, event_name, v); }

static void enter(Named *table, const Text *name, int marker, size_t index) {
    Named key = key_of(text_str(name), marker);
    u32 at = place_of(&key);
    while (table[at & (NAMED - 1)].n) at++;
    key.index = (int16_t)index;
    table[at & (NAMED - 1)] = key;
}

int vocab_named(const Vocab *v, Str name) {
    for (size_t i = 0; i < v->fields.n; i++)
        if (same(text_str(&v->fields.p[i].name), name)) return (int)i;
    return -1;
}

u8 vocab_moves(const Vocab *v, Str name) {
    for (size_t i = 0; i < v->moved.n; i++)
        if (same(text_str(&v->moved.p[i].name), name)) return v->moved.p[i].moves;
    return 0;
}

/* The next tab-separated word of a table line. */
static Str word(const char **at) {
    const char *from = *at;
    while (**at && **at != '\t' && **at != '\n') ++*at;
    Str found = {(const u8 *)from, (u32)(*at - from)};
    if (**at == '\t') ++*at;
    return found;
}
static int number(const char **at) {
    Str text = word(at);
    i64 value = -1;
    return parse_int(text, &value) ? (int)value : -1;
}
static void own(Text *t, Str s) { text_set(t, s.p, s.n); }

static Text bytes_of(Str hex) {
    Text out = {0};
    VEC_ROOM(out, hex.n / 2 + 1);
    for (u32 i = 0; i + 1 < hex.n; i += 2) {
        u8 high = hex.p[i], low = hex.p[i + 1];
        out.p[out.n++] = (u8)((digit(high) ? high - '0' : high - 'a' + 10) << 4 | (digit(low) ? low - '0' : low - 'a' + 10));
    }
    return out;
}

static int metric_of(Str name) {
    for (int i = 0; i < METRICS; i++)
        if (is(name, METRIC_NAMES[i])) return i;
    return -1;
}

static void add_event(Vocab *v, Str marker, Str name, int hidden) {
    EventRow row = {.marker = (u8)marker_of(marker), .kind = K_OTHER, .hidden = (u8)hidden};
    own(&row.name, name);
    for (size_t i = 0; i < sizeof KIND_OF / sizeof *KIND_OF; i++)
        if (KIND_OF[i].marker == row.marker && is(name, KIND_OF[i].name)) row.kind = KIND_OF[i].kind;
    VEC_PUSH(v->events, row);
}

static void finish(Vocab *v) {
    for (size_t i = 0; i < v->fields.n; i++) enter(v->field_at, &v->fields.p[i].name, 0, i);
    for (size_t i = 0; i < v->events.n; i++)
        if (!v->events.p[i].hidden) enter(v->event_at, &v->events.p[i].name, v->events.p[i].marker, i);
    for (size_t i = 0; i < v->events.n; i++) {
        EventRow *row = &v->events.p[i];
        row->moves = vocab_moves(v, text_str(&row->name));
        for (size_t k = 0; k < sizeof SLOT_OF / sizeof *SLOT_OF; k++) {
            for (size_t f = 0; f < v->fields.n; f++)
                if (SLOT_OF[k].kind == row->kind && is(text_str(&v->fields.p[f].name), SLOT_OF[k].field)) row->slot[f] = SLOT_OF[k].slot;
        }
        for (size_t f = 0; row->kind == K_METRICS && f < v->fields.n; f++)
            if (v->fields.p[f].metric >= 0) row->slot[f] = S_METRIC;
    }
}

/* Lines: C claim | F name type | E marker name | X name | B label metric unit | A name moves | L word level. */
Vocab *vocab_new(const char *at) {
    Vocab *v = need(calloc(1, sizeof *v));
    size_t claims = 0;
    for (; *at; at += *at == '\n') {
        Str what = word(&at), first = word(&at);
        if (is(what, "C")) {
            if (claims == METRICS || !is(first, METRIC_NAMES[claims++])) goto unknown; /* numbers are given in this order */
        } else if (is(what, "F")) {
            Field field = {.type = (u8)number(&at), .metric = metric_of(first)};
            own(&field.name, first);
            VEC_PUSH(v->fields, field);
        } else if (is(what, "E")) {
            add_event(v, first, word(&at), 0);
        } else if (is(what, "X")) {
            add_event(v, (Str){first.p, 0}, first, 1);
        } else if (is(what, "B")) {
            Label label = {.metric = metric_of(word(&at))};
            label.unit = (u8)number(&at);
            own(&label.text, first);
            VEC_PUSH(v->labels, label);
            if (label.metric < 0) goto unknown;
        } else if (is(what, "A")) {
            Moved moved = {.moves = (u8)number(&at)};
            own(&moved.name, first);
            VEC_PUSH(v->moved, moved);
        } else if (is(what, "L")) {
            LevelName level = {.level = (u8)number(&at)};
            own(&level.name, first);
            VEC_PUSH(v->levels, level);
        } else {
            goto unknown;
        }
    }
    if (claims != METRICS || v->fields.n > MOST_FIELDS || v->events.n > 256) goto unknown;
    finish(v);
    return v;
unknown:
    vocab_free(v);
    return NULL;
}

void vocab_free(Vocab *v) {
    if (v == NULL) return;
    for (size_t i = 0; i < v->fields.n; i++) VEC_FREE(v->fields.p[i].name);
    for (size_t i = 0; i < v->events.n; i++) VEC_FREE(v->events.p[i].name);
    for (size_t i = 0; i < v->moved.n; i++) VEC_FREE(v->moved.p[i].name);
    for (size_t i = 0; i < v->levels.n; i++) VEC_FREE(v->levels.p[i].name);
    for (size_t i = 0; i < v->labels.n; i++) VEC_FREE(v->labels.p[i].text);
    VEC_FREE(v->fields), VEC_FREE(v->events), VEC_FREE(v->moved), VEC_FREE(v->labels), VEC_FREE(v->levels);
    free(v);
}

u8 vocab_level(const Vocab *v, Str word) {
    u8 small[16];
    if (word.n > sizeof small) return L_INFO;
    for (u32 i = 0; i < word.n; i++) small[i] = CLASS[word.p[i]] & C_UPPER ? word.p[i] | 32 : word.p[i];
    for (size_t i = 0; i < v->levels.n; i++)
        if (same(text_str(&v->levels.p[i].name), (Str){small, word.n})) return v->levels.p[i].level;
    return L_INFO;
}

static Emit emit_of(const Vocab *v, const char **at) {
    Emit emit = {.event = -1};
    Str marker = word(at), name = word(at), cause = word(at), type = word(at);
    emit.heartbeat = is(type, "heartbeat");
    own(&emit.cause, cause), own(&emit.type, type);
    if (!name.n) return emit;
    emit.session = is(marker, "session");
    emit.marker = emit.session ? M_CONNECT : marker_of(marker);
    for (size_t i = 0; i < v->events.n; i++)
        if (v->events.p[i].marker == emit.marker && same(text_str(&v->events.p[i].name), name)) emit.event = (int)i;
    emit.kind = emit.event >= 0 ? v->events.p[emit.event].kind : K_OTHER;
    emit.moves = vocab_moves(v, name);
    return emit;
}

static Template template_of(const Vocab *v, const Format *f, const char **at) {
    Template row = {0};
    own(&row.logger, word(at));
    row.starts = bytes_of(word(at));
    for (size_t i = 0; i < row.starts.n && i < 8; i++) row.head |= (u64)row.starts.p[i] << (8 * i), row.head_mask |= 0xFFull << (8 * i);
    row.program = number(at);
    row.emit = emit_of(v, at), row.then = emit_of(v, at), row.also = emit_of(v, at);
    own(&row.cause_hint, word(at));
    row.even = number(at);
    row.unless_debug = number(at) == 1, row.after_start = number(at) == 1, row.while_down = number(at) == 1;
    memset(row.field_of, -1, sizeof row.field_of);
    row.task = -1, row.seen = (int)f->rows.n;
    for (size_t i = 0; i < f->rows.n; i++)
        if (same(text_str(&f->rows.p[i].starts), text_str(&row.starts))) {
            row.seen = (int)i;
            break;
        }
    return row;
}

/* Lines: P code literals sets groups | S program and five groups | T a template | G group field | U metric. */
Format *format_new(const Vocab *v, const char *at) {
    static u64 formats;
    Format *f = need(calloc(1, sizeof *f));
    f->serial = __atomic_add_fetch(&formats, 1, __ATOMIC_RELAXED);
    for (; *at; at += *at == '\n') {
        Str what = word(&at);
        if (is(what, "P")) {
            Program program = {0};
            Text code = bytes_of(word(&at)), literals = bytes_of(word(&at)), sets = bytes_of(word(&at));
            program.groups = (u32)number(&at);
            program.code.p = (u32 *)(void *)code.p, program.code.n = code.n / 4;
            program.literals.p = literals.p, program.literals.n = literals.n;
            program.sets.p = (u64 *)(void *)sets.p, program.sets.n = sets.n / 8;
            VEC_PUSH(f->programs, program);
        } else if (is(what, "S")) {
            Shape shape = {number(&at), 0, 0, 0, 0, 0};
            shape.second = number(&at), shape.milli = number(&at), shape.level = number(&at);
            shape.logger = number(&at), shape.text = number(&at);
            VEC_PUSH(f->shapes, shape);
            f->templates = 1;
        } else if (is(what, "T")) {
            Template row = template_of(v, f, &at);
            size_t i = 0;
            while (i < f->loggers.n && !same(text_str(&f->loggers.p[i].name), text_str(&row.logger))) i++;
            if (i == f->loggers.n) {
                VEC_PUSH(f->loggers, ((Logger){0}));
                own(&f->loggers.p[i].name, text_str(&row.logger));
            }
            VEC_PUSH(f->loggers.p[i].rows, (u16)f->rows.n);
            VEC_PUSH(f->rows, row);
        } else if (is(what, "G") && f->rows.n) {
            Template *row = &f->rows.p[f->rows.n - 1];
            int group = number(&at);
            Str name = word(&at);
            row->field_of[group] = (int16_t)vocab_named(v, name);
            if (is(name, "task")) row->task = group;
        } else if (is(what, "U")) {
            int metric = metric_of(word(&at));
            if (metric >= 0) f->untrusted |= 1ull << metric;
        } else {
            format_free(f);
            return NULL;
        }
    }
    return f;
}

static void free_emit(Emit *emit) { VEC_FREE(emit->cause), VEC_FREE(emit->type); }

void format_free(Format *f) {
    if (f == NULL) return;
    structured_free(f->structured);
    for (size_t i = 0; i < f->programs.n; i++)
        VEC_FREE(f->programs.p[i].code), VEC_FREE(f->programs.p[i].literals), VEC_FREE(f->programs.p[i].sets);
    for (size_t i = 0; i < f->rows.n; i++) {
        Template *row = &f->rows.p[i];
        VEC_FREE(row->logger), VEC_FREE(row->starts), VEC_FREE(row->cause_hint);
        free_emit(&row->emit), free_emit(&row->then), free_emit(&row->also);
    }
    for (size_t i = 0; i < f->loggers.n; i++) VEC_FREE(f->loggers.p[i].name), VEC_FREE(f->loggers.p[i].rows);
    VEC_FREE(f->programs), VEC_FREE(f->shapes), VEC_FREE(f->rows), VEC_FREE(f->loggers);
    free(f);
}
