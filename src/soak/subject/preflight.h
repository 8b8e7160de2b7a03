/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked before a run. Of the machine: whether it allows the open files, the probe's page,
 * and, as IPv6 has one loopback address, the ports of that. Of the server and the client, what only
 * they can tell: whether the server starts on its libraries at all, its OpenSSL takes the groups
 * and ciphers, and the address is free; whether the client's OpenSSL can do any of the behaviours
 * asked for.
 */
#ifndef SOAK_PREFLIGHT_H
#define SOAK_PREFLIGHT_H

#include "programs.h"

/* Runs `soak-server --check` and `soak-client --check` when the scenario asks for something of that
 * kind. Returns 0, or -1 with the program's sentence. */
int subject_check(const struct programs *p, struct err *e);

/* Raises the limit of open files as far as it goes, and refuses connections that need more. Returns
 * 0 or -1. */
int files_check(const struct scenario *s, struct err *e);
/* Refuses a limit of a file's size below that of the probe's page: it is a file, if only in memory.
 * Returns 0 or -1. */
int page_file_check(struct err *e);

/* The ports that the kernel gives to those who connect, and net.ipv4.tcp_tw_reuse; the usual ones
 * where it doesn't tell. `root` stands before /proc: "". */
struct ports {
    long first, last, reuse;
};
struct ports ports_read(const char *root);
/* Refuses a rate at which a server on [::1] would leave more ports in TIME_WAIT than there are,
 * where the kernel doesn't take them again. Returns 0 or -1. */
int ports_check(const struct scenario *s, struct err *e);
/* What is said when another program has the port of --connect. */
#define SERVED_ALREADY "something listens there already; end it, or give another port"
/* Refuses an address that can't be had now: of what soak serves itself, and the one at which the
 * program of --server is to listen. Returns 0 or -1. */
int served_check(const struct scenario *s, struct err *e);
/* The rule itself: `ports` in all, `reused` within a second; `per_s` 0 is as fast as possible. */
bool ports_suffice(double per_s, uint64_t conns, long ports, bool reused);

#endif
