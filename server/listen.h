/*
 * Listening sockets, made before any loop exists so that a port in use is told in one sentence.
 * With several workers each gets its own socket on the same port (SO_REUSEPORT): the kernel spreads
 * the connections by hash, and no worker wakes for another's.
 */
#ifndef SOAK_SERVER_LISTEN_H
#define SOAK_SERVER_LISTEN_H

#include "base/address.h"
#include "base/err.h"

/* Opens `count` listening sockets on `address`; a port 0 is replaced by the kernel's choice. The
 * caller closes them. Returns 0 or -1; on failure nothing stays open. */
int listen_open(struct address *address, int backlog, int *ret_fds, int count, struct err *e);

#endif
