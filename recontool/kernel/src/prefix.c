/* Takes off what containers and journald put in front of lines, and joins lines that were written in pieces: the
 * compiled twin of logs/prefix.py. One line comes out for each that goes in. */
#include "match.h"
#include "structured.h"
#include "text.h"

static const char JOINED[] = "  (part of the line above)\n"; /* as logs/prefix.py */

typedef struct {
    const Program *program; /* matches the whole line; NULL: the line is an object whose `log` holds the process's own */
    int text, partial;      /* groups; partial -1: lines never go on */
    int data;               /* RFC 5424's structured data follow what the program matches */
    Text whole, out;
    i64 pieces, held;
    Arena arena;
} Unwrapper;

static void flush(Unwrapper *u) {
    if (!u->pieces) return;
    text_add(&u->out, u->whole.p, u->whole.n < MAX_LINE ? u->whole.n : MAX_LINE);
    text_add(&u->out, "\n", 1);
    for (; u->pieces > 1; u->pieces--) text_add(&u->out, JOINED, sizeof JOINED - 1);
    u->pieces = 0, u->whole.n = 0;
}

/* `-` or `[...]...`, a space, perhaps a byte order mark; 0 when they are not there. */
static int skip_data(Str *text) {
    const u8 *p = text->p, *end = p + text->n;
    if (p < end && *p == '-') {
        p++;
    } else {
        const u8 *from = p;
        while (p < end && *p == '[') {
            for (p++; p < end && *p != ']'; p++)
                if (*p == '\\') p++;
            if (p >= end) return 0;
            p++;
        }
        if (p == from) return 0;
    }
    if (p == end || *p++ != ' ') return 0;
    if (end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
    *text = (Str){p, (u32)(end - p)};
    return 1;
}

/* The process's own text out of `{"log": ..., "time": ...}`; 0 when the line is no such object. */
static int from_json(Unwrapper *u, Str line, Str *text, int *goes_on) {
    Str found = trimmed(line);
    Value key, value, log = {{NULL, 0}, V_NULL, 0};
    int timed = 0, more;
    if (line.n < 8 || memcmp(line.p, "{\"log\":\"", 8) != 0 || found.p[found.n - 1] != '}') return 0;
    Members members = {found.p + 1, found.p + found.n, 0};
    while ((more = json_member(&members, &key, &value)) > 0) {
        if (key.escaped) json_text(key.s, &u->arena, &key.s);
        if (is(key.s, "log")) log = value;
        if (is(key.s, "time")) timed = 1;
    }
    if (more < 0 || !timed || log.kind != V_TEXT) return 0;
    found = utf8_shown(log.s, &u->arena);
    if (log.escaped) json_text(found, &u->arena, &found);
    *goes_on = !found.n || found.p[found.n - 1] != '\n';
    if (!*goes_on) found.n--;
    if (found.n && found.p[found.n - 1] == '\r') found.n--;
    u8 *out = arena_take(&u->arena, 2 * (size_t)found.n + 8), *to = out;
    for (u32 i = 0; i < found.n; i++) {
        if (found.p[i] == '\n') *to++ = '\\'; /* a newline inside would let the text pass for a line of its own */
        *to++ = found.p[i] == '\n' ? 'n' : found.p[i];
    }
    *text = (Str){out, (u32)(to - out)};
    return 1;
}

static int split(Unwrapper *u, Str line, Str *text, int *goes_on) {
    *goes_on = 0;
    if (u->program == NULL) return from_json(u, line, text, goes_on);
    Groups groups;
    if (!full_match(u->program, line, &groups, NULL)) return 0;
    *text = (Str){groups.from[u->text], (u32)(groups.to[u->text] - groups.from[u->text])};
    if (u->partial >= 0) *goes_on = *groups.from[u->partial] == 'P';
    return !u->data || skip_data(text);
}

static void one_line(Unwrapper *u, Str line, i64 size) {
    Str text;
    int goes_on;
    if (!split(u, line, &text, &goes_on)) {
        flush(u);
        text_add(&u->out, line.p, line.n);
        text_add(&u->out, "\n", 1);
        return;
    }
    while (text.n && (text.p[text.n - 1] == '\r' || text.p[text.n - 1] == '\n')) text.n--;
    u->held = size + (u->pieces ? u->held : 0);
    text_add(&u->whole, text.p, text.n);
    u->pieces++;
    if (!goes_on || u->held >= MAX_LINE) flush(u);
}

EXPORT Unwrapper *recon_unwrapper_new(const Format *f, int text, int partial, int data) {
    Unwrapper *u = need(calloc(1, sizeof *u));
    u->program = f->programs.n ? &f->programs.p[0] : NULL;
    u->text = text, u->partial = partial, u->data = data;
    return u;
}

EXPORT void recon_unwrapper_free(Unwrapper *u) {
    if (u == NULL) return;
    VEC_FREE(u->whole), VEC_FREE(u->out);
    arena_free(&u->arena);
    free(u);
}

/* The process's own lines out of whole lines, 16 bytes behind which must be readable; `last`: none follow. */
EXPORT i64 recon_unwrap(Unwrapper *u, const u8 *p, i64 n, int last, const u8 **out) {
    const u8 *end = p + n;
    u->out.n = 0;
    while (p < end) {
        const u8 *stop = memchr(p, '\n', (size_t)(end - p));
        i64 length = (stop == NULL ? end : stop) - p, size = length + (stop != NULL);
        if (length >= MAX_LINE) length = size = MAX_LINE;
        arena_clear(&u->arena);
        one_line(u, (Str){p, (u32)length}, size);
        if (stop == NULL) break;
        p = stop + 1;
    }
    if (last) flush(u);
    *out = u->out.p;
    return (i64)u->out.n;
}
