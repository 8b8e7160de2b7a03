/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the connections go, and from which addresses. A TCP port stays in TIME_WAIT for 60 s after
 * its connection, and one source address has about 28,000 of them, so that the connections are
 * spread over N addresses of a network when the target is a loopback address.
 */
#ifndef SOAK_CLIENT_TARGET_H
#define SOAK_CLIENT_TARGET_H

#include "base/err.h"
#include "options/grammar.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct target {
    struct sockaddr_storage address;
    socklen_t address_bytes;
    uint32_t source_net; /* in host order: the first source address is the next one */
    uint32_t sources;    /* 0: the kernel chooses the source address */
};

/* Reads `ADDR:PORT` (a name is looked up; IPv6 as `[::1]:443`). Returns 0 or -1. */
int target_parse(const char *text, struct target *ret, struct err *e);
/* Reads the address before the first source address, such as 127.0.0.0. Returns 0 or -1. */
int target_set_sources(struct target *t, const char *net, struct err *e);
/* Sets `sources`: `asked`, or when 0 one per 20,000 connections a minute and one per 10,000 open
 * ones, at most those up to LIMIT_SOURCES in the network; none when the target isn't in
 * 127.0.0.0/8. */
void target_count_sources(struct target *t, uint64_t asked, struct rate churn, uint64_t conns);
/* A non-blocking TCP socket bound to source number `turn` (modulo their count), on its way to the
 * target: the first write tells whether it has arrived. Binding leaves the port to connect(), which
 * may then share it between targets; otherwise bind() alone would search for a port that is free
 * for all. Returns it, or a negative errno. */
int target_connect(const struct target *t, uint64_t turn);
/* In the order of the host. */
uint16_t target_port(const struct target *t);
/* The server speaks first: nothing of ours carries the acknowledgement that lets it accept, and the
 * kernel would hold that back for 200 ms. Returns whether the connection stands already. */
bool target_hear_first(int fd);

#endif
