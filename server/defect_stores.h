/* SPDX-License-Identifier: Apache-2.0 */
/* What three of the bugs keep: the table of `table`, the notes of `per-operation` and the records
 * of `fragment`. Private to the server's defects; on any thread. */
#ifndef SOAK_SERVER_DEFECT_STORES_H
#define SOAK_SERVER_DEFECT_STORES_H

#include <openssl/ssl.h>

/*
 * The bug `table`, which reads like CVE-2022-1473: emptying the table forgets to reset its count,
 * so that it is enlarged for entries that are long gone. One array, reallocated larger and larger:
 * the number of blocks stays.
 */
struct names;

struct names *names_new(void);
void names_free(struct names *n); /* NULL: nothing */
/* A connection's name comes and goes. */
void names_add(struct names *n);

/*
 * The bug `per-operation`: a note for each message is hung on its SSL and goes with it, so that a
 * connection that stays open grows. CVE-2016-6304 was of this kind: the OCSP extensions of each
 * renegotiation were kept until the SSL was freed.
 */

/* The place of the notes among an SSL's extra data, freed with it; once per process. */
int notes_index(void);
void notes_add(int index, SSL *ssl);

/* The bug `fragment`: nothing is lost, but the few records that stay of each group pin its pages.
 */
struct records;

struct records *records_new(void);
void records_free(struct records *r); /* NULL: nothing */
/* One more connection: every few of them a group is merged. */
void records_add(struct records *r);

#endif
