/* One record by its opening and its fields: wide.c includes it once for every kind of vector it knows. */

ALWAYS Opening *NAME(opening_at)(const Parser *parser, Chunk *chunk, const u8 *p, u32 n) {
    u32 place = opening_place(p + n, n);
    for (u32 at; (at = chunk->opening_at.at[place & (PLACES - 1)]) != 0; place++) {
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

/* The opening of a line, behind which `m` and `stop` are then; NULL when it is unusual. */
ALWAYS Opening *NAME(opened_at)(const Parser *parser, Chunk *chunk, Str text, Marks *m, u32 *stop) {
    m->stop = NAME(marks)(text.p, &m->digit), m->more_stop = NAME(marks)(text.p + 64, &m->more_digit), m->base = 0;
    *stop = next_stop(m);
    if (text.p[0] == '[') {
        if (UNLIKELY(*stop >= text.n || text.p[*stop] != ' ' || text.p[*stop - 1] != ']')) return NULL;
        *stop = next_stop(m);
    }
    return LIKELY(*stop <= OPENING_MOST && *stop != 0) ? NAME(opening_at)(parser, chunk, text.p, *stop) : NULL;
}

/* A line as a record; 0 when something of it is unusual. */
ALWAYS int NAME(record_at)(const Parser *parser, Chunk *chunk, const Begun *b, i64 at, int less) {
    Marks m;
    u32 stop;
    Opening *opening = NAME(opened_at)(parser, chunk, b->text, &m, &stop);
    if (UNLIKELY(opening == NULL)) return 0;
    int counted = less && opening->counted && goes_on(chunk, b);
    Rec *rec = counted ? chunk->with : begin(parser, chunk, b);
    if (opening->kind != K_NONE && UNLIKELY(!NAME(fields_at)(parser, chunk, rec, opening, &m, b->text.p, stop, b->text.n))) return 0;
    if (counted) tally(chunk, opening, at);
    else keep(chunk, rec, opening, b, at);
    return 1;
}

/* What a summary counts a line as; NULL when there is more to it. */
ALWAYS const Opening *NAME(known_at)(const Parser *parser, Chunk *chunk, const Begun *b) {
    Marks m;
    u32 stop;
    if (UNLIKELY(b->text.n > LONGEST_TEXT)) return NULL;
    Opening *opening = NAME(opened_at)(parser, chunk, b->text, &m, &stop);
    if (UNLIKELY(opening == NULL || !opening->counted)) return NULL;
    return LIKELY(NAME(fields_at)(parser, chunk, chunk->with, opening, &m, b->text.p, stop, b->text.n)) ? opening : NULL;
}
