/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of cipher names, separated by colons, as OpenSSL writes them. Pure. */
#ifndef SOAK_BASE_CIPHERS_H
#define SOAK_BASE_CIPHERS_H

#include <stdbool.h>

/* Whether a cipher of TLS 1.3 is named, or of the versions before it: the names of TLS 1.3's begin
 * with TLS_ (RFC 8446 B.4). */
bool ciphers_name(const char *ciphers, bool tls13);

#endif
