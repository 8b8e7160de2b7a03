/*
 * Client authentication's certificates: a small authority and a client certificate signed by it,
 * made in memory and handed to both children as one PEM memory file.
 */
#ifndef SOAK_PKI_H
#define SOAK_PKI_H

#include "base/err.h"

/* Returns the memory file's descriptor (the caller closes it), or -1. Content: the client's
 * certificate, its key, then the authority's certificate. */
int pki_make(struct err *e);

#endif
