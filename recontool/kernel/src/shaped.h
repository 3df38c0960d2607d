/* Lines in one of a format's shapes, with texts that its templates know; the compiled twin of logs/decoder.py. */
#ifndef RECON_SHAPED_H
#define RECON_SHAPED_H
#include "parse.h"

/* Where the parts of a header stand, and the text behind it. */
typedef struct {
    Str second, milli, level, logger, text;
} Parts;

/* Whether the line has one of the format's shapes. */
int shaped_parts(const Format *f, Str line, Parts *parts, Trace *trace);
u32 shaped_logger(const Format *f, Str name); /* its number from 1 on; 0: no template is of it */
/* The first template of the logger that fits; NULL: none does. */
const Template *shaped_template(const Format *f, u32 logger, Str text, Groups *groups, Trace *trace);
int shaped_odd(const Vocab *v, const Template *t, const Groups *groups); /* whether what it wants to be even is not */
Str shaped_group(const Groups *groups, int i); /* empty where it took no part */

/* FOUND, NO_HEADER or BAD; `header` is how the header alone was taken. */
int shaped_line(const Parser *parser, Chunk *chunk, Str line, Rec *rec, int *header);
/* The same of the text of a record that has its header. */
int shaped_text(const Parser *parser, Chunk *chunk, Rec *rec, u32 logger);
#endif
