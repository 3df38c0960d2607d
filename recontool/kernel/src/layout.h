/* Texts known by their layout: where the names and the values of a line stand as those of an earlier one stood, its
 * bytes are checked against what those may be, all at once, and its values are found where they were then. */

static inline u32 layout_place(u64 low, u64 high) { return (u32)((low ^ high * 0xD6E8FEB86659FD93u) * 0x9E3779B97F4A7C15u >> 54); }

/* The last n of 16 bytes, from place n on. */
static const u8 LAST_OF[32] = {[16 ... 31] = 255};
/* In row k the places of 16 bytes without the one before the last k, of all in row 0. */
#define PLACE(k, i) (u8)((k) == 0 || (i) > 15 - (k) ? (i) : (i)-1)
#define PLACES_4(k, i) PLACE(k, i), PLACE(k, i + 1), PLACE(k, i + 2), PLACE(k, i + 3)
#define POINTED(k) {PLACES_4(k, 0), PLACES_4(k, 4), PLACES_4(k, 8), PLACES_4(k, 12)}
static const u8 WITHOUT_POINT[9][16] = {
    POINTED(0), POINTED(1), POINTED(2), POINTED(3), POINTED(4), POINTED(5), POINTED(6), POINTED(7), POINTED(8),
};

/* Bytes that must be as they are here. */
static void demand(Layout *layout, u32 from, u32 until, const u8 *text) {
    memcpy(layout->least + from, text + from, until - from);
    memset(layout->above + from, 0, until - from);
}

static void demand_digits(Layout *layout, u32 from, u32 until) {
    memset(layout->least + from, '0', until - from);
    memset(layout->above + from, 9, until - from);
}

/* What the bytes of a value must be; 0 when this one is no good, or takes more to say. */
static int demand_value(Layout *layout, const Key *key, Spot *value, const u8 *text) {
    const u8 *p = text + value->at;
    u32 until = value->at + value->n, point = 0;
    if (key->use.type == T_STR || key->use.type == T_BOOL) return 1; /* a bool is looked at when it is taken, and it always is */
    while (point < value->n && digit(p[point])) point++;
    demand_digits(layout, value->at, until);
    if (point < value->n) {
        if (key->whole || point == 0 || p[point] != '.') return 0;
        demand(layout, value->at + point, value->at + point + 1, text);
        value->after = (u8)(value->n - point - 1);
        if (value->after == 0 || value->after > 8) return 0;
        for (u32 i = point + 1; i < value->n; i++)
            if (!digit(p[i])) return 0;
    }
    return value->n < 16;
}

/* As vectors have it: white space, control characters, what is no ASCII, and what else ends a bare value. */
static int stops(u8 c) { return c <= ' ' || c > 127 || c == '"' || c == '='; }

/* A value that somebody wants; the flags of `rec` tell which there are. */
static void want(const Parser *parser, Layout *layout, Rec *rec, Spot value) {
    static const u16 HAS[] = {[S_TEXT] = HAS_TEXT, [S_A] = HAS_A, [S_B] = HAS_B, [S_X] = HAS_X};
    Spot *const usual[] = {[S_TEXT] = &layout->s1, [S_A] = &layout->a, [S_B] = &layout->b, [S_X] = &layout->x};
    u8 slot = value.use.slot;
    int is_usual = parser->wants == 0 && (slot == S_TEXT || (slot >= S_A && slot <= S_X));
    if (is_usual) *usual[slot] = value, rec->flags |= HAS[slot]; /* of several the last one counts */
    else layout->others[layout->others_n++] = value;
}

static u32 stop_from(Str text, u32 at) {
    while (at < text.n && !stops(text.p[at])) at++;
    return at;
}

static void finish_layout(Layout *layout, Str text, const Rec *rec) {
    for (u32 i = 0; i < text.n; i++) layout->stops[i / 64] |= (u64)stops(text.p[i]) << i % 64;
    memcpy(layout->traits, (const u8 *)rec + TRAITS_AT, TRAITS);
    layout->whole = layout->a.n || layout->b.n, layout->real = layout->x.n != 0;
}

/* See how a text stands; 0 when that takes more to say. */
static int lay_out(const Parser *parser, Str text, Layout *layout) {
    Opening opening;
    Rec rec;
    u32 at = stop_from(text, text.p[0] == '[' ? stop_from(text, 0) + 1 : 0);
    *layout = (Layout){.n = text.n};
    if (text.n > LONGEST_TEXT || at == 0 || at > OPENING_MOST || !parse_opening(parser, (Str){text.p, at}, &opening)) return 0;
    layout->meaning = opening.meaning;
    blank(parser, &rec, text), set_meaning(&rec, &opening.meaning);
    memset(layout->above, 255, LAYOUT_MOST);
    demand(layout, 0, at, text.p);
    for (u32 k = 0; at < text.n; k++) {
        Key key;
        u32 name = at + 1, equals = stop_from(text, name), value_at = equals + 1, end = stop_from(text, value_at);
        if (k == KEYS_KEPT || text.p[at] != ' ' || equals == name || equals == text.n || text.p[equals] != '=' || end == value_at) return 0;
        if (!learn_key(parser, &opening, &key, (Str){text.p + name, equals - name})) return 0;
        demand(layout, at, value_at, text.p);
        at = end;
        if (key.use.field < 0 || opening.meaning.kind == K_NONE) continue;
        Spot value = {.at = (u8)value_at, .n = (u8)(end - value_at), .use = key.use};
        if (!demand_value(layout, &key, &value, text.p)) return 0;
        if (!key.skip) want(parser, layout, &rec, value);
    }
    finish_layout(layout, text, &rec);
    layout->tally[layout->meaning.marker]++, layout->tally[layout->meaning.outcome]++;
    layout->only_tally = layout->meaning.counted && !layout->others_n;
    return 1;
}
