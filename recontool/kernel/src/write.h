/* Numbers and text as Python's repr() and json.dumps() write them. */
#ifndef RECON_WRITE_H
#define RECON_WRITE_H
#include "core.h"

void write_float(Text *out, double x); /* a finite one */
void write_json_text(Text *out, Str s); /* of UTF-8, as ASCII */
#endif
