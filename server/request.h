/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer can ask of the server (--requests): a message that begins with `soak:` and ends with
 * a newline is not echoed but obeyed, as docs/reference/protocol.md lists it. One record is one
 * message.
 *
 * One request at a time per connection; those that need the peer (a renegotiation, an
 * authentication) or the network (a stream) go on in later turns. Everything here runs on the
 * connection's loop.
 */
#ifndef SOAK_SERVER_REQUEST_H
#define SOAK_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct request;
enum outcome;

/* Whether the message is a request, and requests are obeyed at all. */
bool request_is(const struct conn *c, const uint8_t *message, size_t count);
/* Obeys it, or answers that it can't. Returns what the last SSL call has come to. */
enum outcome request_take(struct conn *c, const uint8_t *message, size_t count);
/* Something has come from the peer: a request under way may be finished. */
enum outcome request_go_on(struct conn *c);
/* All output is sent: a stream goes on. */
void request_written(struct conn *c);
/* Bytes have come after the server's own close_notify that a peer asked for: its answer. */
void request_linger(struct conn *c);
void request_free(struct request *r); /* NULL: nothing */

#endif
