/* Times in every form that structured logs write, and times without a zone: the compiled twin of logs/times.py. */
#ifndef RECON_TIMES_H
#define RECON_TIMES_H
#include "parse.h"

/* Wall clock times from which on a zone is `ahead` of UTC, in seconds, in order; the last 400 years repeat for ever. */
typedef struct ZoneStep {
    i64 from, ahead;
} ZoneStep;

/* Microseconds of UTC from those a clock in the parser's zone shows. */
i64 time_in_utc(const Parser *parser, Chunk *chunk, i64 wall_us);
/* ISO 8601 text, or a number since 1970 in s, ms, us or ns; 0 when it is neither. */
int time_micros(const Parser *parser, Chunk *chunk, Str text, int number, i64 *at_us);
int whole_number(Str text, i64 *value); /* 1 when a JSON number is an int of 64 bits, as 7, 7.0 and 7e2 are */
#endif
