/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address with a port, as `127.0.0.1:4433` or `[::1]:4433`: what a server of soak's listens on.
 * It is a loopback address unless a run has load from other machines: IPv4 has 127.0.0.0/8 of them,
 * IPv6 one.
 */
#ifndef SOAK_BASE_ADDRESS_H
#define SOAK_BASE_ADDRESS_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT = 64 };

struct address {
    struct sockaddr_storage storage;
    socklen_t bytes; /* of the storage */
};

/* Reads one, and one that needn't be loopback. They return 0, or -1 with a sentence that doesn't
 * repeat the text. */
int address_parse(const char *text, struct address *ret, struct err *e);
int address_parse_any(const char *text, struct address *ret, struct err *e);
bool address_is_loopback(const struct address *a);
/* 0.0.0.0 or [::]: every address of the machine. */
bool address_is_every(const struct address *a);
/* Whether two texts that are addresses name the same, at the same port. */
bool address_is_same(const char *a, const char *b);
bool address_is_v6(const struct address *a);
unsigned address_port(const struct address *a);
/* `127.0.0.1` or `[::1]`, and the same with the port. They return buf, of ADDRESS_TEXT. */
char *address_host(const struct address *a, char *buf);
char *address_print(const struct address *a, char *buf);

#endif
