/* Texts known by what is left of them without the values of their fields: a processor that moves bytes together at
 * once checks a whole text against what such a text was before, whatever the length of its values. */

ALWAYS unsigned __int128 wide_of(Bits x) { return (unsigned __int128)x.high << 64 | x.low; }
ALWAYS Bits both(Bits x, Bits y) { return (Bits){x.low & y.low, x.high & y.high}; }
ALWAYS Bits either(Bits x, Bits y) { return (Bits){x.low | y.low, x.high | y.high}; }
ALWAYS Bits without(Bits x, Bits y) { return (Bits){x.low & ~y.low, x.high & ~y.high}; }
ALWAYS Bits next(Bits x) { return (Bits){x.low << 1, x.high << 1 | x.low >> 63}; }
ALWAYS u32 ones(Bits x) { return (u32)(__builtin_popcountll(x.low) + __builtin_popcountll(x.high)); }
ALWAYS int none(Bits x) { return (x.low | x.high) == 0; }

/* Of the runs of `bare`, what stands from each `=` on; a second `=` in one is left out. */
ALWAYS Bits values_from(Bits equals, Bits bare) {
    unsigned __int128 sum = wide_of(bare) + wide_of(equals);
    return without(bare, (Bits){(u64)sum, (u64)(sum >> 64)});
}

/* Some of the bits of `all`, by their number from the lowest on. */
ALWAYS Bits some_of(u32 numbers, Bits all) {
    return (Bits){_pdep_u64(numbers, all.low), _pdep_u64(numbers >> __builtin_popcountll(all.low), all.high)};
}

ALWAYS int longer_than_15(Bits run) {
    unsigned __int128 x = wide_of(run);
    x &= x >> 1, x &= x >> 2, x &= x >> 4;
    return (x & x >> 8) != 0;
}

/* What `text` means, a text without its values but for the points in them. NULL: that takes more to say. */
static __attribute__((noinline)) const Outline *learn_outline(const Parser *parser, Chunk *chunk, u32 place, const u8 *text, u32 n) {
    Outline fresh = {.n = n};
    u32 stop = 0;
    memcpy(fresh.text, text, n);
    while (stop < n && !(CLASS[text[stop]] & C_STOP)) stop++;
    if (text[0] == '[')
        for (stop += stop < n; stop < n && !(CLASS[text[stop]] & C_STOP);) stop++;
    if (stop == 0 || stop > OPENING_MOST || !parse_opening(parser, (Str){fresh.text, stop}, &fresh.opening)) return NULL;
    for (u32 k = 0, at = stop; at < n; k++) {
        u32 from = at + 1, equals = from, points = 0;
        while (equals < n && CLASS[text[equals]] & C_NAME) equals++;
        Key *key = &fresh.opening.keys[k];
        if (k == KEYS_KEPT || text[at] != ' ' || equals == from || equals == n || text[equals] != '=') return NULL;
        if (!learn_key(parser, &fresh.opening, key, (Str){fresh.text + from, equals - from})) return NULL;
        for (at = equals + 1; at < n && text[at] == '.'; at++) points++;
        if (key->field < 0 || fresh.opening.kind == K_NONE) continue;
        if (points > (u32)(key->type == T_FLOAT) && key->number) return NULL;
        fresh.numbers |= (u32)(key->type == T_INT || key->type == T_FLOAT) << k;
        fresh.wanted |= (u32)!key->skip << k;
    }
    fresh.most = 14 + 2 * (u32)__builtin_popcount(fresh.numbers); /* each has `=` and a digit, and a long one 16 of them */
    fresh.counted = fresh.opening.counted && !fresh.wanted;
    Outline *outline = &chunk->outlines[settle(&chunk->outline_at, place, OUTLINES)];
    return *outline = fresh, outline;
}

ALWAYS __m512i all_of(int needle) { return _mm512_load_si512(NEEDLE[needle]); }

/* See what bytes the text of a line has. */
ALWAYS void look_avx512(Begun *b) {
    u32 n = b->text.n;
    u64 in_a = _bzhi_u64(~0ull, n), in_b = _bzhi_u64(~0ull, n > 64 ? n - 64 : 0);
    __m512i low = _mm512_maskz_loadu_epi8(in_a, b->text.p), high = _mm512_maskz_loadu_epi8(in_b, b->text.p + 64);
    b->inside = (Bits){in_a, in_b};
    b->bare.low = _mm512_mask_cmpneq_epi8_mask(_mm512_cmpgt_epi8_mask(low, all_of(A_SPACE)), low, all_of(A_QUOTE));
    b->bare.high = _mm512_mask_cmpneq_epi8_mask(_mm512_cmpgt_epi8_mask(high, all_of(A_SPACE)), high, all_of(A_QUOTE));
    b->equals.low = _mm512_cmpeq_epi8_mask(low, all_of(AN_EQUALS)), b->equals.high = _mm512_cmpeq_epi8_mask(high, all_of(AN_EQUALS));
    b->digit.low = _mm512_cmple_epu8_mask(_mm512_sub_epi8(low, all_of(A_ZERO)), all_of(A_NINE));
    b->digit.high = _mm512_cmple_epu8_mask(_mm512_sub_epi8(high, all_of(A_ZERO)), all_of(A_NINE));
    b->point.low = _mm512_cmpeq_epi8_mask(low, all_of(A_POINT)), b->point.high = _mm512_cmpeq_epi8_mask(high, all_of(A_POINT));
    /* Openings differ in their second eight bytes; a value that begins there is left out. (Where the number of
     * bits passes 255 it wraps: more texts share a place then, no more.) */
    u64 second = _bzhi_u64(load64(b->text.p + 8), 8 * (u32)_tzcnt_u64(b->equals.low) - 64);
    b->place = (u32)(second * 0x9E3779B97F4A7C15u >> 54);
}

/* What is known of the text of a line, NULL when it is unusual. */
ALWAYS const Outline *outline_of(const Parser *parser, Chunk *chunk, const Begun *b) {
    const u8 *p = b->text.p;
    Bits gone = without(values_from(b->equals, b->bare), either(b->equals, b->point)), kept = without(b->inside, gone);
    u32 first = (u32)__builtin_popcountll(kept.low), left = first + (u32)__builtin_popcountll(kept.high);
    if (UNLIKELY(left > OUTLINE_MOST)) return NULL;
    __m512i text = _mm512_maskz_compress_epi8(kept.low, _mm512_loadu_si512(p));
    __m512i more = _mm512_maskz_compress_epi8(kept.high, _mm512_loadu_si512(p + 64));
    u32 place = b->place + left;
    const Outline *found = NULL;
    for (u32 at, i = place; (at = chunk->outline_at.at[i & (PLACES - 1)]) != 0; i++) {
        const Outline *o = &chunk->outlines[at - 1];
        u64 differs = _mm512_mask_cmpneq_epi8_mask(_bzhi_u64(~0ull, first), text, _mm512_loadu_si512(o->text)) |
                      _mm512_cmpneq_epi8_mask(more, _mm512_loadu_si512(o->text + first));
        if (LIKELY(differs == 0 && o->n == left)) { /* a text may end in 0 */
            found = o;
            break;
        }
    }
    if (UNLIKELY(found == NULL)) {
        u8 bytes[2 * OUTLINE_MOST];
        _mm512_storeu_si512(bytes, text), _mm512_storeu_si512(bytes + first, more);
        found = learn_outline(parser, chunk, place, bytes, left);
        if (found == NULL) return NULL;
    }
    /* Every value has a byte; numbers are of digits, and where they have a point it stands between two. */
    Bits equal = some_of(found->numbers, b->equals), number = values_from(equal, b->bare), point = both(number, b->point);
    Bits bad = without(next(either(b->equals, point)), b->bare);
    bad = either(bad, either(both(next(equal), b->point), without(number, either(equal, either(b->digit, b->point)))));
    if (UNLIKELY(!none(bad) || (ones(number) > found->most && longer_than_15(without(number, equal))))) return NULL;
    return found;
}

ALWAYS u32 lowest(Bits b) { return b.low ? (u32)__builtin_ctzll(b.low) : 64 + (u32)__builtin_ctzll(b.high | 1ull << 63); }
ALWAYS Bits from(Bits b, u32 at) {
    unsigned __int128 x = wide_of(b) >> at;
    return (Bits){(u64)x, (u64)(x >> 64)};
}

/* Those of the 16 bytes at p that have a bit in `digits`, and are digits, as one number. */
ALWAYS u64 number_of(const u8 *p, u32 digits) {
    static const int8_t SLIDE[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                     0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15};
    __m128i v = _mm_maskz_compress_epi8((__mmask16)digits, _mm_sub_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('0')));
    v = _mm_shuffle_epi8(v, _mm_loadu_si128((const __m128i *)(SLIDE + _mm_popcnt_u32(digits)))); /* the last digit is the last byte */
    v = _mm_maddubs_epi16(v, _mm_set1_epi16(0x010A));
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00010064));
    v = _mm_madd_epi16(_mm_packus_epi32(v, v), _mm_set1_epi32(0x00012710));
    u64 both = (u64)_mm_cvtsi128_si64(v);
    return (both & 0xFFFFFFFFu) * 100000000u + (both >> 32);
}

/* As take_value for a value that an outline has found good, where no table wants it. */
ALWAYS int take_good(const Parser *parser, Chunk *chunk, Rec *rec, const Key *key, const u8 *p, u32 n, u64 others) {
    u32 after = others ? n - 1 - (u32)_tzcnt_u64(others) : 0;
    if (LIKELY(key->slot == S_TEXT)) {
        rec->s1 = (Str){p, n}, rec->flags |= HAS_TEXT;
    } else if (UNLIKELY(key->slot < S_A || key->slot > S_X || n > 16 || after > 8)) {
        return take_value(parser, chunk, rec, key, p, n, others);
    } else {
        i64 number = (i64)number_of(p, (u32)(~others & below(n)));
        if (key->slot == S_A) rec->a = number, rec->flags |= HAS_A;
        else if (key->slot == S_B) rec->b = number, rec->flags |= HAS_B;
        else rec->x = (double)number / (double)TEN[after], rec->flags |= HAS_X; /* as parse_float has it */
    }
    return 1;
}

/* Take the values that somebody wants of a text with an outline; 0 when one does not fit. */
ALWAYS int values_of(const Parser *parser, Chunk *chunk, Rec *rec, const Outline *outline, const Begun *b) {
    Bits equals = b->equals;
    for (u32 wanted = outline->wanted, k = 0; wanted; wanted >>= 1, k++) {
        u32 at = lowest(equals) + 1;
        if (equals.low) equals.low &= equals.low - 1;
        else equals.high &= equals.high - 1;
        if (!(wanted & 1)) continue;
        Bits ends = from((Bits){~b->bare.low, ~b->bare.high}, at);
        u32 n = lowest(ends);
        u64 others = ~from(b->digit, at).low & below(n);
        const Key *key = &outline->opening.keys[k];
        if (LIKELY(parser->wants == 0) ? !take_good(parser, chunk, rec, key, b->text.p + at, n, others)
                                       : !take_value(parser, chunk, rec, key, b->text.p + at, n, others))
            return 0;
    }
    return 1;
}

/* As `record_at`. */
ALWAYS int outlined_at(const Parser *parser, Chunk *chunk, const Begun *b, i64 at, int less) {
    const Outline *outline = outline_of(parser, chunk, b);
    if (UNLIKELY(outline == NULL)) return record_at_avx512(parser, chunk, b, at, less);
    const Opening *opening = &outline->opening;
    int counted = less && opening->counted && goes_on(chunk, b);
    Rec *rec = counted ? chunk->with : begin(parser, chunk, b);
    if (outline->wanted && UNLIKELY(!values_of(parser, chunk, rec, outline, b))) return 0;
    if (counted) tally(chunk, opening, at);
    else keep(chunk, rec, opening, b, at);
    return 1;
}

/* As `known_at`. */
ALWAYS const Opening *known_by_outline(const Parser *parser, Chunk *chunk, const Begun *b) {
    if (UNLIKELY(b->text.n > LONGEST_TEXT)) return NULL;
    const Outline *outline = outline_of(parser, chunk, b);
    return LIKELY(outline != NULL && outline->counted) ? &outline->opening : NULL;
}
