/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: a socket, an SSL object made on accept (with --starttls, when the dialogue in
 * clear text has come to TLS, as mail servers do) and freed on close, and nothing that outlives
 * them. It belongs to its worker's loop.
 *
 *   NEW [-> STARTTLS] -> HANDSHAKE -> OPEN -> LINGER -> CLOSED
 *
 * It only ever moves forwards, and may skip. In LINGER our close_notify or alert is sent and the
 * client is awaited to close TCP: the side that closes first keeps the port busy (TIME_WAIT), and
 * that should be the client. One teardown: closing frees the SSL, the close callback the struct.
 */
#ifndef SOAK_SERVER_CONN_H
#define SOAK_SERVER_CONN_H

#include "deadline.h"
#include "worker.h"

#include <uv.h>

/* What the sockets of a worker's loop tell their connections. */
extern const struct net_events conn_events;

/* Accepts the connection that waits on `listener`. */
void conn_accept(struct worker *w, uv_stream_t *listener);

/* The three take the node by which a connection stands in one of its worker's lists. */

/* Its time in the list is over. */
void conn_expire(struct deadline *node);
/* Ends an open connection politely: close_notify, then linger. */
void conn_leave(struct deadline *node);
/* Closes it at once, in whatever state. */
void conn_drop(struct deadline *node);

#endif
