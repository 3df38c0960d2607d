/* Layouts of texts that templates know, or none does: what the patterns looked at tells what the bytes may be. */

static const u64 DIGITS[4] = {0x3FFull << '0'}, ASCII[4] = {~0ull, ~0ull};
static const u64 INDENTS[4] = {1ull << ' ' | 1ull << '=' | 0x1Full << '\t'}; /* a line of a block may begin so */

/* Whether a text of the layout may be a line of a metrics block, once its first byte is none of those. */
static int may_label(const Vocab *v, const Trace *trace, Str text) {
    for (size_t i = 0; i < v->labels.n; i++) {
        Str label = text_str(&v->labels.p[i].text);
        u32 at = 0;
        while (at < label.n && at < text.n && trace->may[at][label.p[at] >> 6] >> (label.p[at] & 63) & 1) at++;
        if (at == label.n) return 1;
    }
    return 0;
}

/* A value becomes a field; 0 when it is no good, or takes more to say. */
static int shaped_value(const Parser *parser, const EventRow *row, int f, Str value, Trace *trace, Layout *layout, Rec *rec) {
    Key key = {.use = {.field = (int16_t)f, .type = parser->vocab->fields.p[f].type, .slot = S_SKIP}};
    Spot spot = {.at = (u8)(value.p - trace->text), .n = (u8)value.n};
    int is_number = key.use.type == T_INT || key.use.type == T_FLOAT;
    if (row != NULL && !(is_number && parser->wants & WANT_LESS)) key.use.slot = row->slot[f];
    key.whole = key.use.type == T_INT;
    spot.use = key.use;
    if (key.use.slot == S_METRIC || (is_number && value.n == 0) || !demand_value(layout, &key, &spot, trace->text)) return 0;
    for (u32 i = 0; i < value.n; i++) {
        if (!is_number) trace_only(trace, value.p + i, ASCII, 1);
        else if (digit(value.p[i])) trace_only(trace, value.p + i, DIGITS, 1);
        else trace_same(trace, value.p + i, 1);
    }
    if (key.use.slot == S_SKIP && key.use.type != T_BOOL && !(parser->wants & WANT_CELLS)) return 1;
    if (layout->others_n == KEYS_KEPT) return 0;
    want(parser, layout, rec, spot);
    return 1;
}

/* The task that the text names, and whether what must be even is: its last digit tells. */
static void shaped_task(const Vocab *v, const Template *t, const Groups *groups, Trace *trace, Layout *layout, Rec *rec) {
    if (t->task >= 0 && groups->from[t->task] != NULL) {
        Str task = shaped_group(groups, t->task);
        for (u32 i = 0; i < task.n; i++) trace_only(trace, task.p + i, ASCII, 1);
        layout->meaning.name_at = (u32)(task.p - trace->text), layout->meaning.name_end = layout->meaning.name_at + task.n;
    }
    Str even = t->even < 0 ? (Str){0} : shaped_group(groups, t->even);
    if (even.n) trace_same(trace, even.p + even.n - 1, 1);
    if (shaped_odd(v, t, groups)) rec->template = (int16_t)(-2 - rec->template);
}

/* The bytes next to the one there that may stand in its place, without a gap. */
static void demand_traced(Layout *layout, u32 at, u8 c, const u64 *may) {
    int low = c, high = c;
    while (low > 0 && may[(low - 1) >> 6] >> ((low - 1) & 63) & 1) low--;
    while (high < 255 && may[(high + 1) >> 6] >> ((high + 1) & 63) & 1) high++;
    layout->least[at] = (u8)low, layout->above[at] = (u8)(high - low);
}

/* As `lay_out`, of a text behind a header that names the logger. */
static int lay_out_shaped(const Parser *parser, u32 logger, Str text, Layout *layout) {
    const Format *f = parser->format;
    Trace trace;
    Groups groups;
    Rec rec;
    *layout = (Layout){.n = text.n, .logger = logger, .meaning.event = -1};
    if (text.n > LONGEST_TEXT) return 0;
    trace_from(&trace, text.p);
    blank(parser, &rec, text);
    const Template *t = shaped_template(f, logger, text, &groups, &trace);
    if (t != NULL) {
        const EventRow *row = t->emit.event >= 0 ? &parser->vocab->events.p[t->emit.event] : NULL;
        rec.template = (int16_t)(t - f->rows.p);
        for (u32 g = 0; g < f->programs.p[t->program].groups; g++)
            if (t->field_of[g] >= 0 && groups.from[g] != NULL &&
                !shaped_value(parser, row, t->field_of[g], shaped_group(&groups, (int)g), &trace, layout, &rec))
                return 0;
        shaped_task(parser->vocab, t, &groups, &trace, layout, &rec);
    }
    layout->labels = (u8)(INDENTS[text.p[0] >> 6] >> (text.p[0] & 63) & 1);
    trace_only(&trace, text.p, INDENTS, layout->labels);
    layout->labels |= (u8)may_label(parser->vocab, &trace, text);
    memset(layout->above, 255, LAYOUT_MOST);
    for (u32 i = 0; i < text.n; i++) demand_traced(layout, i, text.p[i], trace.may[i]);
    finish_layout(layout, text, &rec);
    return 1;
}

/* Remember how a text stands. No layout may be in use: it may take the place of one. */
static __attribute__((noinline)) void learn_layout(const Parser *parser, Chunk *chunk, Str text, u32 logger) {
    Layout fresh;
    if (!(parser->format->templates ? lay_out_shaped(parser, logger, text, &fresh) : lay_out(parser, text, &fresh))) return;
    chunk->layouts[settle(&chunk->layout_at, layout_place(fresh.stops[0], fresh.stops[1]), LAYOUTS)] = fresh;
}
