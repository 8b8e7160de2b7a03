/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer and the server say to each other within TLS: the handshake, the message and its echo,
 * what the recipe or an operation adds, the server's close_notify.
 */
#ifndef SOAK_CLIENT_EXCHANGE_H
#define SOAK_CLIENT_EXCHANGE_H

#include "peer.h"

/* Goes as far as the bytes in the socket's wire allow, in whatever state the connection is. */
enum step exchange(struct peer *p);

#endif
