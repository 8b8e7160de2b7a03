/* SPDX-License-Identifier: Apache-2.0 */
/* The SSL object of a peer, and calls on it. See peer.h. */
#ifndef SOAK_CLIENT_PEER_TLS_H
#define SOAK_CLIENT_PEER_TLS_H

#include "peer.h"

/* Makes the SSL object. Returns 0 or -1. */
int peer_tls_open(struct peer *p);
void peer_tls_free(struct peer *p);
/* Whether what it agrees on is what the others ask for, so that they can resume its session. */
bool peer_tls_session_fits_others(const SSL *ssl);
/* What an SSL call has come to. A full buffer is emptied here, so that the call can be made again
 * at once, unless the kernel took only a part. */
enum ssl_result peer_tls_result(struct peer *p, int returned);
/* TLS has failed: whether that is all right, or why not. */
enum step peer_tls_failed(struct peer *p);
/* Goes on with a handshake, the first or another. ON: it is done. */
enum step peer_tls_do_handshake(struct peer *p);
/* Writes a few bytes, of which there are some, and sends them. */
enum step peer_tls_write(struct peer *p, const void *bytes, size_t count);
/* The same with a short line: a request to the server (docs/reference/protocol.md). */
enum step peer_tls_say(struct peer *p, const char *line);
/* Sends our close_notify, and FIN with it: nothing more is to be said. */
enum step peer_tls_send_close_notify(struct peer *p);

#endif
