/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS part of a connection: handshake, message and echo, close_notify. See peer.h. */
#ifndef SOAK_CLIENT_PEER_TLS_H
#define SOAK_CLIENT_PEER_TLS_H

#include "peer.h"

/* Makes the SSL object. Returns 0 or -1. */
int peer_tls_open(struct peer *p);
void peer_tls_free(struct peer *p);
/* Whether what it agrees on is what the others ask for, so that they can resume its session. */
bool peer_tls_session_fits_others(const SSL *ssl);
/* Goes as far as the bytes in p->wire allow, in whatever state the connection is, and sends what
 * there is to send. */
void peer_tls_advance(struct peer *p);
/* Goes on with a handshake on an established connection. */
void peer_tls_do_handshake(struct peer *p);
/* Writes a short line, as a request to the server (docs/reference/protocol.md). The turn's end
 * sends it, or peer_flush; it fails by peer_fail. */
void peer_tls_say(struct peer *p, const char *line);
/* Sends our close_notify, and FIN with it: nothing more is to be said. */
void peer_tls_send_close_notify(struct peer *p);

#endif
