/* Events as columns in Arrow's layout: one set of buffers a chunk, filled without Python. */
#ifndef RECON_TABLE_H
#define RECON_TABLE_H
#include "core.h"
#include "fleet.h"

typedef VEC(Text) Texts;

typedef struct {
    u8 type, used;
    i64 n; /* rows filled so far; the rest of the table's are null */
    VEC(u8) valid; /* bits */
    VEC(i64) words; /* ints, doubles as bits, bools */
    VEC(int32_t) offsets;
    VEC(u8) data;
} Column;

typedef struct {
    i64 n;
    VEC(i64) at, line;
    VEC(int32_t) level, marker, event, source; /* numbers in Python's lists; marker -1 where there is none */
    VEC(Column) fields;                         /* by field of the vocabulary, `values` last */
    Texts sources, names;                   /* sources seen; names of events the vocabulary does not know */
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
