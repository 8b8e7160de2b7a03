/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of many connections: their median, and whether all were equal. Rows are figures, columns
 * connections. Pure, but for memory.
 */
#ifndef SOAK_FOOTPRINT_SAMPLES_H
#define SOAK_FOOTPRINT_SAMPLES_H

#include "base/err.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct samples; /* all zero at first */

/* Returns 0 or -1. Rows that are never written take no memory. */
int samples_new(size_t rows, size_t columns, struct samples **ret, struct err *e);
void samples_free(struct samples *s);

void samples_put(struct samples *s, size_t row, size_t column, uint64_t value);
/* Of an even number of columns, the lower one of the two in the middle. */
uint64_t samples_median(const struct samples *s, size_t row);
bool samples_equal(const struct samples *s, size_t row);

/*
 * Whether a connection is an ordinary one. By chance an ECDSA signature is a byte longer or
 * shorter, and so is the number in a TLS 1.3 ticket that hides its age, by which the ticket may
 * grow by a cipher block. A median over connections where that is a matter of heads or tails would
 * differ from run to run. So only connections are measured in which all of it has the commonest
 * length, by the messages that the server writes and reads.
 */
struct sample_filter {
    bool unusual;      /* some length isn't the commonest */
    int tickets, high; /* tickets, and those whose number takes the longer form */
    bool last_is_high;
};

/* Watches the connections of a server's context. `f` is borrowed: it outlives them. */
void sample_filter_watch(struct sample_filter *f, SSL_CTX *server);
/* A connection begins. */
void sample_filter_begin(struct sample_filter *f);
/* Whether the connection since then is one. */
bool sample_filter_passes(const struct sample_filter *f);

#endif
