/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bug `per-operation`: a note for each message is hung on its SSL and goes with it, so that a
 * connection that stays open grows. CVE-2016-6304 was of this kind: the OCSP extensions of each
 * renegotiation were kept until the SSL was freed.
 */
#ifndef SOAK_SERVER_DEFECT_NOTES_H
#define SOAK_SERVER_DEFECT_NOTES_H

#include <openssl/ssl.h>

/* The place of the notes among an SSL's extra data, freed with it; once per process. */
int notes_index(void);
void notes_add(int index, SSL *ssl);

#endif
