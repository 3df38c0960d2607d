/* What a process says about itself, where its log shows no events; the reference is metrics/claims.py. */
#include "claims.h"

#include "text.h"

static const u64 MESSAGES = 1ull << C_SENT | 1ull << C_RECEIVED | 1ull << C_LATENCY | 1ull << C_SIZE | 1ull << C_ERRORS;

/* The claimed value, 0 where the claim is absent or not to be trusted. */
static int trusted(const Claim *c, int metric, double *value) {
    u64 bit = 1ull << metric;
    *value = 0.0;
    if (!(c->claimed & bit) || c->untrusted & bit) return 0;
    *value = c->value[metric];
    return 1;
}

static i128 count(const Claim *c, int metric) {
    double value;
    trusted(c, metric, &value);
    return round_even(value);
}

static i128 nanos(double ms) { return round_even(ms * 1e6); }

int claim_size(const Worker *w, double *size) {
    return w->has_claim && w->current.t[T_SENT] > 0 && w->current.t[T_SIZED] == 0 && trusted(&w->claim, C_SIZE, size);
}

void claim_messages(const Claim *c, Totals *out) {
    double size, latency;
    i128 sent = count(c, C_SENT);
    int has_size = trusted(c, C_SIZE, &size), has_latency = trusted(c, C_LATENCY, &latency);
    i128 acked = !has_latency ? 0 : c->claimed >> C_ACKED & 1 ? round_even(c->value[C_ACKED]) : sent;
    out->t[T_SENT] = sent, out->t[T_SIZED] = has_size ? sent : 0;
    out->t[T_SENT_BYTES] = round_even(size * (double)sent);
    out->t[T_RECEIVED] = count(c, C_RECEIVED);
    out->t[T_ACKED] = acked, out->t[T_LATENCY_NS] = nanos(latency * (double)acked);
    out->t[T_ERRORS] = count(c, C_ERRORS);
}

void claim_all(const Claim *c, Totals *out) {
    memset(out, 0, sizeof *out);
    claim_messages(c, out);
    double rate, took, duration, ratio, value;
    i128 executed = count(c, C_EXECUTED), reconnections = count(c, C_RECONNECTIONS);
    int has_rate = trusted(c, C_SUCCESS, &rate), has_ratio = trusted(c, C_RATIO, &ratio);
    i128 wire = has_ratio ? 1000000000 : 0; /* a ratio alone does not tell sizes */
    trusted(c, C_AVG_RECONNECT, &duration);
    out->t[T_ATTEMPTS] = count(c, C_ATTEMPTS), out->t[T_ESTABLISHED] = count(c, C_ESTABLISHED);
    out->t[T_RECONNECTIONS] = reconnections;
    out->t[T_RECONNECT_US] = round_even(duration * (double)reconnections * 1e6);
    out->t[T_EXECUTED] = executed, out->t[T_COMPLETED] = round_even(rate * (double)executed);
    out->t[T_FAILED] = has_rate ? executed - round_even(rate * (double)executed) : 0;
    out->t[T_TIMED_TASKS] = trusted(c, C_TASK_TIME, &took) ? executed : 0;
    out->t[T_TASK_NS] = nanos(took * (double)executed);
    out->t[T_CREATED] = count(c, C_CREATED), out->t[T_RESTORED] = count(c, C_RESTORED);
    out->t[T_RAW] = round_even(ratio * (double)wire), out->t[T_WIRE] = wire;
    if (trusted(c, C_COMPRESS, &value)) out->t[T_TIMED_COMPRESSED] = 1, out->t[T_COMPRESS_NS] = nanos(value);
    if (trusted(c, C_DECOMPRESS, &value)) out->t[T_TIMED_DECOMPRESSED] = 1, out->t[T_DECOMPRESS_NS] = nanos(value);
}

u64 claim_stood_in(const Worker *w) {
    if (!w->has_claim || w->debug) return 0;
    u64 names = w->claim.claimed & ~w->claim.untrusted;
    return w->marked ? names & MESSAGES : names;
}

void said_init(Said *said) {
    memset(said, 0, sizeof *said);
    memset(said->slot_of, -1, sizeof said->slot_of);
}

void said_add(Said *said, const Claim *claim, const Totals *shown, i64 debug) {
    size_t slot = 0;
    while (slot < said->slot.n && said->slot.p[slot].used) slot++;
    if (slot == said->slot.n) VEC_PUSH(said->slot, ((Spoken){0}));
    said->slot.p[slot].claim = *claim;
    said->slot.p[slot].shown = *shown;
    said->slot.p[slot].debug = debug;
    for (int m = 0; m < METRICS; m++) {
        if (!(claim->claimed >> m & 1)) continue;
        int before = said->slot_of[m];
        if (before >= 0) said->slot.p[before].used--;
        said->slot_of[m] = (int16_t)slot;
        said->slot.p[slot].used++;
    }
}

void said_free(Said *said) { VEC_FREE(said->slot); }

void said_wire(Wire *w, Said *said) {
    WIRE(w, said->slot_of);
    WIRE_VEC(w, said->slot);
    for (int m = 0; m < METRICS; m++)
        if (w->reading && said->slot_of[m] >= (int)said->slot.n) w->bad = 1, said->slot_of[m] = -1;
}
