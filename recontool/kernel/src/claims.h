#ifndef RECON_CLAIMS_H
#define RECON_CLAIMS_H
#include "worker.h"

int claim_size(const Worker *w, double *size); /* the log shows messages, not their sizes, and the claim is trusted */
void claim_messages(const Claim *c, Totals *out); /* sets the message counts of `out` */
void claim_all(const Claim *c, Totals *out);
u64 claim_stood_in(const Worker *w); /* metrics of the running process that its claim stands in for */
void said_init(Said *said);
void said_add(Said *said, const Claim *claim, const Totals *shown, i64 debug);
void said_free(Said *said);
void said_wire(Wire *w, Said *said);
#endif
