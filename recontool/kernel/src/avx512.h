/* What the wide reader asks of vectors of 64 bytes. */

ALWAYS u64 ends_avx512(const u8 *p) { return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8('\n')); }
ALWAYS __m512i all_of(int needle) { return _mm512_load_si512(NEEDLE[needle]); }
ALWAYS u64 stops_64(__m512i v) {
    __mmask64 printable = _mm512_cmpgt_epi8_mask(v, all_of(A_SPACE)), bare = _mm512_mask_cmpneq_epi8_mask(printable, v, all_of(A_QUOTE));
    return ~_mm512_mask_cmpneq_epi8_mask(bare, v, all_of(AN_EQUALS));
}
ALWAYS u64 marks_avx512(const u8 *p, u64 *digit) {
    __m512i v = _mm512_loadu_si512(p);
    *digit = _mm512_cmple_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8('0')), _mm512_set1_epi8(9));
    return stops_64(v);
}
ALWAYS u32 same32_avx512(const u8 *p, const u8 *q) {
    return _mm256_cmpeq_epi8_mask(_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)q));
}

/* What of 64 bytes is not as a layout has it, 0 where all is. */
ALWAYS __m512i unlike_64(__m512i v, const u8 *least, const u8 *above) {
    return _mm512_subs_epu8(_mm512_sub_epi8(v, _mm512_load_si512(least)), _mm512_load_si512(above));
}
ALWAYS int begins_so_avx512(const Chunk *chunk, const Head *head, const u8 *p, u32 stamp) {
    __m256i least = _mm256_loadu_si256((const __m256i *)chunk->stamp_least), above = _mm256_loadu_si256((const __m256i *)chunk->stamp_above);
    __m256i time = _mm256_subs_epu8(_mm256_sub_epi8(_mm256_loadu_si256((const __m256i *)p), least), above);
    __m512i text = unlike_64(_mm512_loadu_si512(p + stamp), head->least, head->above);
    return (_mm256_test_epi8_mask(time, time) | _mm512_test_epi8_mask(text, text)) == 0;
}
ALWAYS const Layout *layout_at_avx512(const Chunk *chunk, Str text, u32 logger) {
    __m512i a = _mm512_loadu_si512(text.p), b = _mm512_loadu_si512(text.p + 64);
    u64 low = _bzhi_u64(stops_64(a), text.n);
    u64 high = _bzhi_u64(stops_64(b), text.n > 64 ? text.n - 64 : 0);
    for (u32 i, place = layout_place(low, high); (i = chunk->layout_at.at[place & (PLACES - 1)]) != 0; place++) {
        const Layout *layout = &chunk->layouts[i - 1];
        const u8 *least = layout->least, *above = layout->above;
        __m512i unlike = _mm512_or_si512(unlike_64(a, least, above), unlike_64(b, least + 64, above + 64));
        u64 others = (low ^ layout->stops[0]) | (high ^ layout->stops[1]) | (text.n ^ layout->n) | (logger ^ layout->logger);
        if (LIKELY((others | _mm512_test_epi8_mask(unlike, unlike)) == 0)) return layout;
    }
    return NULL;
}
