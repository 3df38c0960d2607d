/* What the wide reader asks of vectors of 32 bytes. */

ALWAYS u32 equal_32(__m256i v, char c) { return (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(c))); }
ALWAYS __m256i load_32(const u8 *p) { return _mm256_loadu_si256((const __m256i *)p); }
ALWAYS u64 ends_avx2(const u8 *p) { return equal_32(load_32(p), '\n') | (u64)equal_32(load_32(p + 32), '\n') << 32; }
ALWAYS u32 stops_32(__m256i v) {
    __m256i printable = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(' ')); /* bytes are signed here */
    __m256i some = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('=')));
    return ~(u32)_mm256_movemask_epi8(_mm256_andnot_si256(some, printable));
}
ALWAYS u32 digits_32(__m256i v) {
    __m256i value = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));
    return (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value));
}
ALWAYS u64 marks_avx2(const u8 *p, u64 *digit) {
    __m256i a = load_32(p), b = load_32(p + 32);
    *digit = digits_32(a) | (u64)digits_32(b) << 32;
    return stops_32(a) | (u64)stops_32(b) << 32;
}
ALWAYS u32 same32_avx2(const u8 *p, const u8 *q) { return (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load_32(p), load_32(q))); }

/* What of 32 bytes is not as a layout has it, 0 where all is. */
ALWAYS __m256i unlike_32(__m256i v, const u8 *least, const u8 *above) {
    __m256i more = _mm256_sub_epi8(v, load_32(least));
    return _mm256_subs_epu8(more, load_32(above));
}
ALWAYS int begins_so_avx2(const Chunk *chunk, const Head *head, const u8 *p, u32 stamp) {
    __m256i time = unlike_32(load_32(p), chunk->stamp_least, chunk->stamp_above), text = unlike_32(load_32(p + stamp), head->least, head->above);
    __m256i unlike = _mm256_or_si256(time, text);
    if (UNLIKELY(head->n > 32)) unlike = _mm256_or_si256(unlike, unlike_32(load_32(p + stamp + 32), head->least + 32, head->above + 32));
    return _mm256_testz_si256(unlike, unlike);
}
ALWAYS const Layout *layout_at_avx2(const Chunk *chunk, Str text, u32 logger) {
    __m256i a = load_32(text.p), b = load_32(text.p + 32), c = load_32(text.p + 64), d = load_32(text.p + 96);
    u64 low = _bzhi_u64(stops_32(a) | (u64)stops_32(b) << 32, text.n), high = stops_32(c);
    if (UNLIKELY(text.n > 96)) high |= (u64)stops_32(d) << 32; /* few are */
    high = _bzhi_u64(high, text.n > 64 ? text.n - 64 : 0);
    for (u32 i, place = layout_place(low, high); (i = chunk->layout_at.at[place & (PLACES - 1)]) != 0; place++) {
        const Layout *layout = &chunk->layouts[i - 1];
        if (UNLIKELY(((low ^ layout->stops[0]) | (high ^ layout->stops[1]) | (text.n ^ layout->n) | (logger ^ layout->logger)) != 0)) continue;
        const u8 *least = layout->least, *above = layout->above;
        __m256i unlike = _mm256_or_si256(unlike_32(a, least, above), unlike_32(b, least + 32, above + 32));
        unlike = _mm256_or_si256(unlike, unlike_32(c, least + 64, above + 64));
        if (UNLIKELY(text.n > 96)) unlike = _mm256_or_si256(unlike, unlike_32(d, least + 96, above + 96));
        if (LIKELY(_mm256_testz_si256(unlike, unlike))) return layout;
    }
    return NULL;
}
