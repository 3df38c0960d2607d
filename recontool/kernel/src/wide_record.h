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
ALWAYS int NAME(record_at)(const Parser *parser, Chunk *chunk, const Begun *b, i64 at, int kind) {
    Marks m;
    u32 stop;
    Opening *opening = NAME(opened_at)(parser, chunk, b->text, &m, &stop);
    if (UNLIKELY(opening == NULL)) return 0;
    const Meaning *meaning = &opening->meaning;
    int counted = kind == LESS && meaning->counted && goes_on(parser, chunk, b);
    Rec *rec = counted ? chunk->with : begin(parser, chunk, b);
    if (meaning->kind != K_NONE && UNLIKELY(!NAME(fields_at)(parser, chunk, rec, opening, &m, b->text.p, stop, b->text.n))) return 0;
    if (counted) tally(chunk, meaning, at);
    else keep(parser, chunk, rec, meaning, b, at);
    return 1;
}

/* Of a number its digits in fours, counted from its end, the highest first; all 0 where there is none. There are 16 bytes
 * before every text. */
ALWAYS __m128i NAME(fours_of)(const u8 *text, Spot number) {
    __m128i v = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(text + number.at + number.n - 16)), _mm_set1_epi8('0'));
    v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(LAST_OF + number.n)));
    v = _mm_shuffle_epi8(v, _mm_loadu_si128((const __m128i *)WITHOUT_POINT[number.after]));
    return _mm_madd_epi16(_mm_maddubs_epi16(v, _mm_set1_epi16(0x010A)), _mm_set1_epi32(0x00010064));
}

ALWAYS i64 NAME(of_eights)(u64 eights) { return (i64)((eights & 0xFFFFFFFFu) * 100000000u + (eights >> 32)); }

/* Of fours of two numbers, or of one twice, the numbers. */
ALWAYS __m128i NAME(eights_of)(__m128i fours, __m128i others) {
    return _mm_madd_epi16(_mm_packus_epi32(fours, others), _mm_set1_epi32(0x00012710));
}

/* Put all that a fold needs of a text into its record. */
ALWAYS void NAME(set_down)(Rec *rec, const Layout *layout, const Begun *b) {
    const u8 *text = b->text.p;
    memcpy((u8 *)rec + TRAITS_AT, layout->traits, TRAITS);
    rec->raw = b->line, rec->text = b->text;
    rec->name = (Str){text + layout->meaning.name_at, layout->meaning.name_end - layout->meaning.name_at};
    rec->s1 = (Str){text + layout->s1.at, layout->s1.n}, rec->s2.n = 0, rec->claimed = 0;
    if (layout->whole) {
        __m128i both = NAME(eights_of)(NAME(fours_of)(text, layout->a), NAME(fours_of)(text, layout->b));
        rec->a = NAME(of_eights)((u64)_mm_cvtsi128_si64(both)), rec->b = NAME(of_eights)((u64)_mm_extract_epi64(both, 1));
    }
    if (layout->real) {
        __m128i x = NAME(fours_of)(text, layout->x);
        rec->x = (double)NAME(of_eights)((u64)_mm_cvtsi128_si64(NAME(eights_of)(x, x))) / (double)TEN[layout->x.after]; /* as parse_float has it */
    }
}

/* As `record_at`, for a text whose layout is known. */
ALWAYS int NAME(laid_out)(const Parser *parser, Chunk *chunk, const Begun *b, i64 at, int kind) {
    const Layout *layout = b->layout;
    int counted = kind == LESS && layout->meaning.counted && goes_on(parser, chunk, b), folds = parser->wants == 0;
    Rec *rec = counted ? chunk->with : folds ? &chunk->recs.p[chunk->recs.n] : begin(parser, chunk, b);
    if (LIKELY(folds)) NAME(set_down)(rec, layout, b);
    else if (!counted) memcpy((u8 *)rec + TRAITS_AT, layout->traits, TRAITS);
    if (kind == SHAPED && UNLIKELY(layout->labels)) {
        parse_label(parser->vocab, rec, b->text);
        if (rec->label == LABEL_HEAD) return 0;
    }
    for (u32 i = 0; UNLIKELY(i < layout->others_n); i++) {
        Spot other = layout->others[i];
        u64 point = other.after ? 1ull << (other.n - other.after - 1) : 0;
        if (UNLIKELY(!take_value(parser, chunk, rec, other.use, b->text.p + other.at, other.n, point))) return 0;
    }
    if (counted) tally(chunk, &layout->meaning, at);
    else if (LIKELY(folds)) admit(parser, chunk, rec, b, at);
    else keep(parser, chunk, rec, &layout->meaning, b, at);
    return 1;
}
