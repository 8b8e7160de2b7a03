/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server does with the messages of an open connection: it echoes them. With --requests one
 * that begins with `soak:` and ends with a newline is not echoed but obeyed, as
 * docs/reference/protocol.md lists it. One record is one message.
 *
 * One request at a time per connection; those that need the peer (a renegotiation, an
 * authentication) or the network (a stream) go on in later turns. Everything here runs on the
 * connection's loop.
 */
#ifndef SOAK_SERVER_REQUEST_H
#define SOAK_SERVER_REQUEST_H

#include "conn_internal.h"

/* Reads what has come from the peer, and answers it. */
enum step request_serve(struct conn *c);
/* All output is sent: a stream goes on. */
enum step request_written(struct conn *c);
/* Bytes have come after the server's own close_notify that a peer asked for: its answer. */
void request_linger(struct conn *c);
void request_free(struct request *r); /* NULL: nothing */

#endif
