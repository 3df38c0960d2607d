/* Events as columns in Arrow's layout: one set of buffers a chunk, filled without Python. */
#ifndef RECON_TABLE_H
#define RECON_TABLE_H
#include "core.h"
#include "fleet.h"
#include "index.h"

/* Names in the order in which they were first seen. */
typedef struct {
    VEC(Text) texts;
    Index at;
    u32 last; /* the one asked for last */
} Names;

typedef struct {
    u8 type, used; /* of a column without a value nothing else counts */
    VEC(u8) valid; /* bits */
    VEC(i64) words; /* ints, doubles as bits, bools */
    VEC(int32_t) offsets;
    Text data;
} Column;

typedef struct {
    i64 n;
    size_t rows; /* that it may get */
    VEC(i64) at, line; /* of these six only the room grows: `n` rows are filled */
    VEC(int32_t) level, marker, event, source; /* numbers in Python's lists; marker -1 where there is none */
    VEC(Column) fields;                         /* by field of the vocabulary, `values` last */
    Names sources, names;                   /* sources seen; names of events the vocabulary does not know */
} Table;

typedef struct {
    i64 since, until;
    u32 markers; /* bits, all ones for all */
    const u8 *sources; /* wanted ones, each ended by a newline; none for all */
    i64 sources_n;
} Wanted;

Table *table_new(const Vocab *v);
void table_free(Table *t);
void table_fill(Table *t, const Vocab *v, const Rows *rows, const Wanted *wanted);
#endif
