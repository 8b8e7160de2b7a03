/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks for connections that show the certificate of their behaviour (--client-certs), or none, in
 * the handshake or when the server asks for it later.
 */
#ifndef SOAK_CLIENT_FEATURE_CERTS_H
#define SOAK_CLIENT_FEATURE_CERTS_H

#include "peer.h"

/* `prepare`: shows the certificate of the kind that the behaviour is named for. */
int feature_certs_prepare(struct peer *p);
/* `prepare`: shows none. */
int feature_certs_prepare_none(struct peer *p);
/* `prepare`: lets the server ask after the handshake; shows the good one, or none. TLS 1.3. */
int feature_certs_prepare_later(struct peer *p);
int feature_certs_prepare_later_none(struct peer *p);

#endif
