/* Lines in their usual shape, a vector of bytes at a time; anything else is left to parse_line. */
#ifndef RECON_WIDE_H
#define RECON_WIDE_H
#include "parse.h"

int wide_lines(const Parser *parser, Chunk *chunk, const u8 *p, const u8 *end); /* 0: this processor cannot */
#endif
