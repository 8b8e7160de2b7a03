/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets, made before any loop exists so that a port in use is told in one sentence.
 * With several workers or processes each gets its own socket on the same port (SO_REUSEPORT): the
 * kernel spreads the connections by hash, and no worker wakes for another's.
 */
#ifndef SOAK_SERVER_LISTEN_H
#define SOAK_SERVER_LISTEN_H

#include "base/address.h"
#include "base/err.h"
#include "options/choices.h"

#include <stdbool.h>
#include <stdint.h>

/* In a network of clients (A.B.C.0/24). */
enum { LISTEN_NET_ADDRESSES = 256 };

struct listen_request {
    int backlog;
    enum port_use use; /* by this process and others */
    int count;
    bool asks; /* the kernel asks silent peers whether they are there */
};
/* Opens `count` listening sockets on `address`; a port 0 is replaced by the kernel's choice. The
 * caller closes them. Returns 0 or -1; on failure nothing stays open. */
int listen_open(struct address *address, const struct listen_request *request, int *ret_fds,
                struct err *e);
/* Whether an accepted socket's peer is outside the network that begins at `net` (host order); 0:
 * nobody is. */
bool listen_is_foreign(int fd, uint32_t net);

#endif
