/* Beginnings of lines, by what is behind their time: they are known from one line to the next. */

enum { TAGGED_STAMP = 28 }; /* bytes of `YYYY-mm-ddTHH:MM:SS.ffffffZ ` */

static inline Head *head_at(Chunk *chunk, const u8 *p) {
    return &chunk->heads[(load64(p + 28) ^ load64(p + 36) << 3) * 0x9E3779B97F4A7C15u >> 58];
}

/* The next one that the same bytes may lead to. */
static inline Head *head_after(Chunk *chunk, const Head *head) { return &chunk->heads[(head - chunk->heads + 1) % HEADS]; }

/* The head that a line has between its time and its text: as it is known, or (n 0, or another) where it may be put. */
static Head *head_for(Chunk *chunk, const u8 *p, u32 n) {
    Head *first = head_at(chunk, p), *head = first;
    for (int i = 0; i < HEAD_TRIES; i++, head = head_after(chunk, head))
        if (head->n == 0 || (head->n == n && memcmp(head->least, p + chunk->stamp_n, n) == 0)) return head;
    return first;
}

static void put_head(Head *head, const Chunk *chunk, const u8 *p, const Head *fresh) {
    *head = *fresh;
    memcpy(head->least, p + chunk->stamp_n, fresh->n), memset(head->above + fresh->n, 255, HEAD_MOST - fresh->n);
}

/* The time of the minute read last, of `n` bytes: `pattern` has it with the least digits, and `above` what they may be
 * more. */
static void put_stamp(Chunk *chunk, u32 n, const char *pattern, const char *above) {
    memcpy(chunk->stamp_least, pattern, n), memset(chunk->stamp_least + n, 0, sizeof chunk->stamp_least - n);
    memcpy(chunk->stamp_above, above, n), memset(chunk->stamp_above + n, 255, sizeof chunk->stamp_above - n);
    memcpy(chunk->stamp_least, chunk->minute, 17);
    chunk->stamp_us = chunk->minute_us, chunk->stamp_n = n;
}

static const char STAMP_ABOVE[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\11\0\11\11\11\11\11\11\0\0";

/* The line begins as none that is remembered: remember how. 0 when it is no such record. */
static int learn_head(Chunk *chunk, Str line) {
    Rec rec;
    const u8 *p = line.p;
    while (line.n && p[line.n - 1] == '\r') line.n--;
    if (line.n < 34 || !parse_header(chunk, line, &rec)) return 0;
    u32 n = (u32)(rec.text.p - p) - TAGGED_STAMP, who = 0;
    if (n > HEAD_MOST) return 0;
    put_stamp(chunk, TAGGED_STAMP, "YYYY-mm-ddTHH:MM:00.000000Z ", STAMP_ABOVE);
    for (int i = 0; i < HEADS; i++) {
        const Head *other = &chunk->heads[i];
        if (other->who && other->source_n == rec.source.n && memcmp(other->least + other->source_at - TAGGED_STAMP, rec.source.p, rec.source.n) == 0)
            who = other->who;
    }
    Head fresh = {.n = n, .source_at = (u32)(rec.source.p - p), .source_n = rec.source.n, .level = rec.level};
    fresh.who = who ? who : ++chunk->sources;
    put_head(head_for(chunk, p, n), chunk, p, &fresh);
    return 1;
}

enum { SHAPED_SECOND = 17, SHAPED_MILLI = 20 };
static const u64 ANY_DIGIT = 0x3FFull << '0', TO_FIVE = 0x3Full << '0';
static const u8 DATE_DIGITS[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15};

static int any_may(const Trace *trace, u32 at, u64 digits) { return (trace->may[at][0] & digits) == digits; }

/* A header that hangs on nothing but its own bytes, of which the digits of the time may be others. */
static int is_common(const Parts *parts, const Trace *trace, Str line) {
    const u8 *p = line.p;
    u32 stamp = SHAPED_MILLI + parts->milli.n, text = (u32)(parts->text.p - p);
    if (parts->second.p != p || parts->second.n != 19 || parts->milli.p != p + SHAPED_MILLI || (parts->milli.n != 3 && parts->milli.n != 6)) return 0;
    if (parts->text.n == 0 || parts->text.p + parts->text.n != p + line.n) return 0;
    if (parts->level.p < p + stamp || parts->level.p + parts->level.n > parts->text.p) return 0;
    if (parts->logger.p < p + stamp || parts->logger.p + parts->logger.n > parts->text.p) return 0;
    if (text <= stamp || text > stamp + HEAD_MOST || trace->until > text || trace->ends) return 0;
    for (size_t i = 0; i < sizeof DATE_DIGITS; i++)
        if (!any_may(trace, DATE_DIGITS[i], ANY_DIGIT)) return 0;
    for (u32 i = 0; i < parts->milli.n; i++)
        if (!any_may(trace, SHAPED_MILLI + i, ANY_DIGIT)) return 0;
    return any_may(trace, SHAPED_SECOND, TO_FIVE) && any_may(trace, SHAPED_SECOND + 1, ANY_DIGIT);
}

/* Its head is known, so that only the minute is new. */
static int is_known(Chunk *chunk, Str line) {
    const Head *head = head_at(chunk, line.p);
    for (int i = 0; i < HEAD_TRIES && head->n; i++, head = head_after(chunk, head))
        if (line.n > chunk->stamp_n + head->n && memcmp(head->least, line.p + chunk->stamp_n, head->n) == 0) return 1;
    return 0;
}

/* Any time within the minute of this one; 0 when there is no such time, or it is written in another way than those before. */
static int learn_stamp(Chunk *chunk, const u8 *p, u32 n) {
    i64 at;
    u8 pattern[] = "YYYY-mm-dd HH:MM:00,000000";
    pattern[SHAPED_MILLI - 1] = p[SHAPED_MILLI - 1];
    if (chunk->stamp_n && (chunk->stamp_n != n || chunk->stamp_least[10] != p[10] || chunk->stamp_least[SHAPED_MILLI - 1] != p[SHAPED_MILLI - 1])) return 0;
    for (u32 i = SHAPED_MILLI; i < n; i++)
        if (!digit(p[i])) return 0;
    if (parse_second(chunk, p, p[10], &at) != FOUND) return 0;
    put_stamp(chunk, n, (const char *)pattern, STAMP_ABOVE);
    chunk->stamp_digits = n == SHAPED_MILLI + 6 ? -1 : (i64)~0xFFFFFFull, chunk->stamp_zeros = n == SHAPED_MILLI + 6 ? 0 : 0x303030;
    return 1;
}

/* As `learn_head`, of a line in a shape of the format. */
static int learn_shaped_head(const Parser *parser, Chunk *chunk, Str line) {
    Parts parts;
    Trace trace;
    while (line.n && line.p[line.n - 1] == '\r') line.n--;
    if (line.n > MAX_LINE) return 0;
    if (chunk->stamp_n && is_known(chunk, line)) return learn_stamp(chunk, line.p, chunk->stamp_n);
    trace_from(&trace, line.p);
    if (!shaped_parts(parser->format, line, &parts, &trace) || !is_common(&parts, &trace, line)) return 0;
    if (!learn_stamp(chunk, line.p, SHAPED_MILLI + parts.milli.n)) return 0;
    Head fresh = {.n = (u32)(parts.text.p - line.p) - chunk->stamp_n, .level = vocab_level(parser->vocab, parts.level)};
    fresh.logger = shaped_logger(parser->format, parts.logger);
    put_head(head_for(chunk, line.p, fresh.n), chunk, line.p, &fresh);
    return 1;
}
