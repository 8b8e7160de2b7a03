/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks for connections that ask for something in their ClientHello: a name, a protocol, a group, a
 * cipher, a kind of key, a stapled status, small fragments, padding. What each asks for is a row of
 * a table; whether it has come about is seen once the message is back. And for those that show the
 * certificate of their behaviour (--client-certs), or none, in the handshake or later.
 */
#ifndef SOAK_CLIENT_FEATURE_HELLO_H
#define SOAK_CLIENT_FEATURE_HELLO_H

#include "peer.h"

/* `prepare`: asks. */
int feature_hello_prepare(struct peer *p);
/* `work`: fails the peer when it was granted something else, as of a server without the option. */
enum step feature_hello_check(struct peer *p);
/* `unable` of the group that is part ML-KEM. */
const char *feature_hello_no_ml_kem(void);

/* `prepare`: shows the certificate of the kind that the behaviour is named for. */
int feature_certs_prepare(struct peer *p);
/* `prepare`: shows none. */
int feature_certs_prepare_none(struct peer *p);
/* `prepare`: lets the server ask after the handshake; shows the good one, or none. TLS 1.3. */
int feature_certs_prepare_later(struct peer *p);
int feature_certs_prepare_later_none(struct peer *p);
/* Whether what prepares a behaviour's connections shows a certificate. */
bool feature_shows_certificate(int (*prepare)(struct peer *p));

#endif
