/* Lines at a time: wide.c includes it once for every kind of vector it knows. */

/* Of `YYYY-MM-DDTHH:MM:SS.ffffffZ ` the digits of the second, the first one highest: a later one is a greater number. */
ALWAYS i64 NAME(second_at)(const u8 *p) {
    __m128i places = _mm_setr_epi8(9, 8, 7, 6, 5, 4, 2, 1, -1, -1, -1, -1, -1, -1, -1, -1);
    return _mm_cvtsi128_si64(_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 16)), places));
}

/* The time that they are in the minute of the line before. */
ALWAYS i64 NAME(time_of)(const Chunk *chunk, i64 second) {
    __m128i pairs = _mm_maddubs_epi16(_mm_cvtsi64_si128(second), _mm_set1_epi16(0x0A01));
    u64 fours = (u64)_mm_cvtsi128_si64(_mm_madd_epi16(pairs, _mm_set1_epi32(0x00640001)));
    static const i64 ZEROS = 1111 * '0' * 10001; /* what the digits are more than their values */
    return chunk->stamp_us + (i64)(fours >> 32) * 10000 + (i64)(fours & 0xFFFFFFFFu) - ZEROS;
}

/* Put where lines of [p, end) end, and return how many do. */
ALWAYS u32 NAME(find_ends)(const u8 **ends_at, const u8 *p, const u8 *end) {
    const u8 **to = ends_at;
    for (const u8 *at = p; at < end; at += 64) {
        u64 ends = NAME(ends)(at);
        const u8 **next = to + __builtin_popcountll(ends);
        *to++ = at + _tzcnt_u64(ends); /* most often there is one or none, and what is put here then is not kept */
        for (ends &= ends - 1; UNLIKELY(ends != 0); ends &= ends - 1) *to++ = at + _tzcnt_u64(ends);
        to = next;
    }
    return (u32)(to - ends_at);
}

/* The head of the line, which stands `stamp` bytes behind its start; NULL: no line before had it, or its minute. */
ALWAYS const Head *NAME(known_head)(Chunk *chunk, const u8 *p, u32 stamp) {
    const Head *head = head_at(chunk, p);
    for (int i = 0; i < HEAD_TRIES && LIKELY(head->n != 0); i++, head = head_after(chunk, head))
        if (LIKELY(NAME(begins_so)(chunk, head, p, stamp))) return head;
    return NULL;
}

/* Look at lines from p on, as long as they begin as lines before did. It is done for many before anything is done
 * with them: so the processor has work while it waits for the parts of each. */
ALWAYS void NAME(look_ahead)(Chunk *chunk, Ahead *ahead, const u8 *p, const u8 *const *ends, u32 most, int kind) {
    u32 i = 0, looked = 0, odd = 0, stamp = kind == SHAPED ? chunk->stamp_n : TAGGED_STAMP;
    for (; i < most; i++) {
        const Head *head = NAME(known_head)(chunk, p, stamp);
        Begun *b = &ahead->line[i];
        const u8 *end = ends[i];
        if (UNLIKELY(head == NULL)) break;
        while (UNLIKELY(end[-1] == '\r')) end--; /* there is a head before them */
        const u8 *text = p + stamp + head->n;
        if (UNLIKELY(text >= end)) break;
        b->line = (Str){p, (u32)(end - p)}, b->text = (Str){text, (u32)(end - text)}, b->head = head;
        i64 second = NAME(second_at)(p);
        ahead->second[i] = kind == SHAPED ? (second & chunk->stamp_digits) | chunk->stamp_zeros : second;
        if (kind == LESS) {
            odd |= (head->who ^ chunk->who) | ODD[*text];
            ahead->looked[looked] = (u8)i;
            looked += *text == '[';
        }
        p = ends[i] + 1;
    }
    const Begun *strange = NULL;
    u32 missed = 0;
    if (kind != LESS) looked = i;
    int rests = chunk->rest != 0;
    chunk->rest -= (u32)rests;
    for (u32 k = 0; k < looked; k++) {
        Begun *b = &ahead->line[kind == LESS ? ahead->looked[k] : k];
        b->layout = LIKELY(!rests) ? NAME(layout_at)(chunk, b->text, kind == SHAPED ? b->head->logger : 0) : NULL;
        if (UNLIKELY(b->layout == NULL)) strange = b, missed++;
    }
    if (UNLIKELY(rests)) strange = NULL;
    else if (UNLIKELY(2 * missed > looked && chunk->layout_at.n > LAYOUTS / 4)) chunk->rest = RESTS; /* too many to know */
    ahead->n = i, ahead->looked_n = looked, ahead->odd = odd, ahead->strange = strange;
}

/* As `shaped_line`, of a line that has a head. */
ALWAYS int NAME(take_shaped)(const Parser *parser, Chunk *chunk, const Begun *b, i64 at) {
    if (UNLIKELY(b->line.n > MAX_LINE)) return 0;
    at = time_in_utc(parser, chunk, at);
    if (LIKELY(b->layout != NULL)) return NAME(laid_out)(parser, chunk, b, at, SHAPED);
    Rec *rec = begin(parser, chunk, b);
    admit(parser, chunk, rec, b, at);
    rec->text = b->text;
    conclude(chunk, rec, shaped_text(parser, chunk, rec, b->head->logger), FOUND);
    return 1;
}

/* Whether the whole line was taken. */
ALWAYS int NAME(take)(const Parser *parser, Chunk *chunk, const Begun *b, i64 at, int kind) {
    if (kind == SHAPED) return NAME(take_shaped)(parser, chunk, b, at);
    if (kind == LESS && *b->text.p != '[') return !ODD[*b->text.p] && quiet(parser, chunk, b, at);
    if (LIKELY(b->layout != NULL)) return NAME(laid_out)(parser, chunk, b, at, kind);
    return b->text.n <= LONGEST_TEXT && NAME(record_at)(parser, chunk, b, at, kind);
}

/* Count lines of one source, of which a summary wants no more, with the record before them; returns how many it were
 * before the first that is of another kind. */
ALWAYS u32 NAME(count)(Chunk *chunk, const Ahead *ahead) {
    Rec *with = chunk->with;
    __m128i tally = _mm_setzero_si128(); /* no more than the lines, which a byte has room for */
    i64 until = 0;
    u32 k = 0, n = ahead->n;
    for (; k < ahead->looked_n; k++) {
        const Layout *layout = ahead->line[ahead->looked[k]].layout;
        if (UNLIKELY(layout == NULL || !layout->only_tally)) break;
        tally = _mm_add_epi8(tally, _mm_loadu_si128((const __m128i *)layout->tally));
    }
    if (k < ahead->looked_n) n = ahead->looked[k];
    if (UNLIKELY(n == 0)) return 0;
    for (u32 i = 0; i < n; i++) until = ahead->second[i] > until ? ahead->second[i] : until;
    i64 at = NAME(time_of)(chunk, until);
    with->until = at > with->until ? at : with->until;
    u8 sums[16];
    _mm_storeu_si128((__m128i *)sums, tally);
    for (u32 i = 0; i < TALLIES; i++) with->tally[i] += sums[i];
    chunk->lines += n;
    return n;
}

ALWAYS void NAME(each)(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end, int kind) {
    Ahead ahead;
    const u8 *learnt = NULL, *ends_at[STRETCH + 2];
    for (const u8 *at = p; at < end; at += STRETCH) {
        u32 lines = NAME(find_ends)(ends_at, at, end - at < STRETCH ? end : at + STRETCH);
        for (u32 line = 0; line < lines;) {
            const u8 *const *ends = &ends_at[line];
            u32 most = lines - line < AHEAD ? lines - line : AHEAD;
            NAME(look_ahead)(chunk, &ahead, p, ends, most, kind);
            VEC_ROOM(chunk->recs, AHEAD);
            for (u32 i = kind == LESS && ahead.n && !ahead.odd ? NAME(count)(chunk, &ahead) : 0; i < ahead.n; i++) {
                if (LIKELY(NAME(take)(parser, chunk, &ahead.line[i], NAME(time_of)(chunk, ahead.second[i]), kind))) chunk->lines++;
                else {
                    parse_line(parser, chunk, ahead.line[i].line.p, end);
                    VEC_ROOM(chunk->recs, AHEAD);
                }
            }
            if (UNLIKELY(ahead.strange != NULL)) learn_layout(parser, chunk, ahead.strange->text, ahead.strange->head->logger);
            line += ahead.n;
            if (ahead.n) p = ends[ahead.n - 1] + 1;
            if (ahead.n == most) continue;
            Str line_here = {p, (u32)(ends[ahead.n] - p)};
            if (p != learnt && (kind == SHAPED ? learn_shaped_head(parser, chunk, line_here) : learn_head(chunk, line_here))) learnt = p;
            else p = parse_line(parser, chunk, p, end), line++;
        }
    }
    while (p < end) p = parse_line(parser, chunk, p, end);
}

TARGET static void NAME(lines)(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end) {
    if (parser->format->templates) NAME(each)(parser, chunk, p, end, SHAPED);
    else if (parser->wants & WANT_LESS) NAME(each)(parser, chunk, p, end, LESS);
    else NAME(each)(parser, chunk, p, end, TAGGED);
}
