/* The wide reader itself: wide.c includes it once for every kind of vector it knows. */

/* `YYYY-MM-DDTHH:MM:SS.ffffffZ ` in the minute of the line before. */
ALWAYS int NAME(time_at)(const Chunk *chunk, const u8 *p, i64 *at) {
    const u32 fixed = 0x1FFFFu | 1u << 19 | 1u << 26 | 1u << 27;
    __m128i places = _mm_setr_epi8(1, 2, 4, 5, 6, 7, 8, 9, -1, -1, -1, -1, -1, -1, -1, -1);
    __m128i v = _mm_sub_epi8(_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 16)), places), _mm_set1_epi8('0'));
    u32 digits = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v));
    if ((NAME(same32)(p, chunk->stamp) & fixed) != fixed || (digits & 0xFF) != 0xFF) return 0;
    __m128i pairs = _mm_maddubs_epi16(v, _mm_setr_epi8(10, 1, 10, 1, 10, 1, 10, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    __m128i fours = _mm_madd_epi16(pairs, _mm_setr_epi16(100, 1, 100, 1, 0, 0, 0, 0));
    u64 both = (u64)_mm_cvtsi128_si64(fours);
    i64 micros = (i64)(both & 0xFFFFFFFFu) * 10000 + (i64)(both >> 32);
    *at = chunk->stamp_us + micros;
    return micros < 60000000;
}

/* Length of the line at p, NO_LINE when it is longer than the wide reader takes. Most are shorter than 128. */
ALWAYS u32 NAME(length_of)(const u8 *p) {
    u64 first = NAME(ends)(p), second = NAME(ends)(p + 64);
    u32 in_first = (u32)__builtin_ctzll(first | 1ull << 63), in_second = 64 + (u32)__builtin_ctzll(second | 1ull << 63);
    if (LIKELY((first | second) != 0)) return first ? in_first : in_second;
    for (u32 word = 2; word < WORDS; word++) {
        u64 ends = NAME(ends)(p + 64 * word);
        if (ends) return 64 * word + (u32)__builtin_ctzll(ends);
    }
    return NO_LINE;
}

ALWAYS Opening *NAME(opening_at)(const Parser *parser, Chunk *chunk, const u8 *p, u32 n) {
    u32 place = opening_place(p + n, n);
    for (u32 at; (at = chunk->opening_at[place & (OPENING_SLOTS - 1)]) != 0; place++) {
        Opening *o = &chunk->openings[at - 1];
        if (o->n == n && (~NAME(same32)(p, o->text) & (u32)below(n)) == 0) return o;
    }
    return learn_opening(parser, chunk, place, (Str){p, n});
}

/* The fields of a text, from `at` to its end at `n`; 0 when they are not in their usual shape. */
ALWAYS int NAME(fields_at)(const Parser *parser, Chunk *chunk, Rec *rec, Opening *opening, Marks *m, const u8 *p, u32 at, u32 n) {
    Key other;
    for (u32 k = 0; at < n; k++) {
        u32 from = at + 1, equals = next_stop(m), width = equals - from;
        if (UNLIKELY(p[at] != ' ' || equals >= n || p[equals] != '=' || width == 0)) return 0;
        Key *key = k < KEYS_KEPT && width <= KEY_MOST ? &opening->keys[k] : &other;
        __m128i same = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + from)), _mm_loadu_si128((const __m128i *)key->text));
        u32 differs = ~(u32)_mm_movemask_epi8(same) & (u32)below(width);
        if (UNLIKELY(key == &other || key->n != width || differs) && !learn_key(parser, opening, key, (Str){p + from, width})) return 0;
        u32 value = equals + 1;
        at = next_stop(m);
        if (UNLIKELY(at == value)) return 0;
        if (UNLIKELY(!quick_value(parser, chunk, rec, key, p + value, at - value, digits_from(m, value)))) return 0;
    }
    return 1;
}

/* A line of `n` bytes that is a record of `head`; 0 when something of it is unusual. */
ALWAYS int NAME(record_at)(const Parser *parser, Chunk *chunk, const u8 *p, u32 n, const Head *head, i64 at) {
    Marks m;
    int less = parser->wants & WANT_LESS;
    Str text = {p + 28 + head->n, n - 28 - head->n};
    if (UNLIKELY(28 + head->n >= n || text.n > LONGEST_TEXT)) return 0;
    m.stop = NAME(marks)(text.p, &m.digit), m.more_stop = NAME(marks)(text.p + 64, &m.more_digit), m.base = 0;
    u32 stop = next_stop(&m);
    if (text.p[0] == '[') {
        if (UNLIKELY(stop >= text.n || text.p[stop] != ' ' || text.p[stop - 1] != ']')) return 0;
        stop = next_stop(&m);
    }
    if (UNLIKELY(stop > OPENING_MOST || stop == 0)) return 0;
    Opening *opening = NAME(opening_at)(parser, chunk, text.p, stop);
    if (UNLIKELY(opening == NULL)) return 0;
    VEC_ROOM(chunk->recs, 1);
    Rec *rec = &chunk->recs.p[chunk->recs.n], *with = NULL;
    Str source = {p + head->source_at, head->source_n};
    if (less && opening->counted) with = before_of(chunk, rec, head, source);
    if (with == NULL) blank(parser, rec, (Str){p, n});
    chunk->cells.n = 0;
    if (opening->kind != K_NONE && UNLIKELY(!NAME(fields_at)(parser, chunk, rec, opening, &m, text.p, stop, text.n))) return 0;
    if (with != NULL) {
        tally(with, opening, at);
        chunk->lines++;
        return 1;
    }
    rec->at_us = rec->until = at;
    rec->level = head->level, rec->source = source;
    rec->text = text;
    rec->line = chunk->lines++;
    rec->marker = opening->marker, rec->kind = opening->kind, rec->moves = opening->moves, rec->event = opening->event;
    if (opening->kind != K_NONE) rec->name = (Str){text.p + opening->name_at, stop - opening->name_at};
    keep_cells(chunk, rec);
    chunk->recs.n++, chunk->who = head->who;
    return 1;
}

/* A record that a summary only takes the time of. */
ALWAYS void NAME(quiet_at)(const Parser *parser, Chunk *chunk, const u8 *p, u32 n, const Head *head, i64 at) {
    VEC_ROOM(chunk->recs, 1);
    Rec *rec = &chunk->recs.p[chunk->recs.n];
    Str source = {p + head->source_at, head->source_n};
    Rec *with = before_of(chunk, rec, head, source);
    u32 line = chunk->lines++;
    if (LIKELY(with != NULL)) {
        if (at > with->until) with->until = at;
        return;
    }
    blank(parser, rec, (Str){p, n});
    rec->shape = R_QUIET, rec->level = head->level, rec->source = source;
    rec->at_us = rec->until = at, rec->line = line;
    chunk->recs.n++, chunk->who = head->who;
}

/* Whether the whole line was taken. */
ALWAYS int NAME(line_at)(const Parser *parser, Chunk *chunk, const u8 *p, u32 n) {
    Head *head = &chunk->heads[(load64(p + 28) ^ load64(p + 36) << 3) * 0x9E3779B97F4A7C15u >> 58];
    i64 at;
    if (UNLIKELY(n < 34)) return 0;
    if (UNLIKELY(!NAME(time_at)(chunk, p, &at) || !head->n || (~NAME(same)(p + 28, head->text) & below(head->n)) != 0)) {
        Rec first;
        if (!learn_head(chunk, &first, (Str){p, n}, head)) return 0;
        at = first.at_us;
    }
    u8 c = 28 + head->n < n ? p[28 + head->n] : 0;
    if (parser->wants & WANT_LESS && c != '[') {
        if (c == 'c' || !(CLASS[c] & C_LOWER)) return 0; /* a start of the process, or a line of a block, perhaps */
        NAME(quiet_at)(parser, chunk, p, n, head, at);
        return 1;
    }
    return NAME(record_at)(parser, chunk, p, n, head, at);
}

TARGET static void NAME(lines)(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end) {
    while (p < end) {
        u32 n = NAME(length_of)(p), shown = n;
        if (n != NO_LINE && p + n < end) {
            while (shown && p[shown - 1] == '\r') shown--;
            if (LIKELY(NAME(line_at)(parser, chunk, p, shown))) {
                p += n + 1;
                continue;
            }
        }
        p = parse_line(parser, chunk, p, end);
    }
}
