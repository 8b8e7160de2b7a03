/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What falls to one of several processes that make a run's load together: connections, rate,
 * threads, source addresses, and the connections of each epoch. The one place that deals it out.
 * The shares of all processes add up to the whole, whatever its size. Pure, but for the number of
 * processors.
 */
#ifndef SOAK_SHARE_H
#define SOAK_SHARE_H

#include "scenario/scenario.h"

#include <stddef.h>
#include <stdint.h>

struct share {
    size_t number, of; /* number 0 is the first */
};

/* The scenario as that process is to make it: its connections, rate, sources and threads. */
void share_scenario(const struct scenario *s, struct share at, struct scenario *ret);
/* Its part of `opens` connections or operations on `conns` connections. */
uint64_t share_opens(uint64_t opens, struct share at, uint64_t conns);
/* How many addresses of the run's network come before its first: each process has its own, as long
 * as there are as many. */
unsigned share_sources_before(const struct scenario *s, struct share at);

/* How many processes are needed, if each can hold as many files as `allowed`: of the client, each
 * with its part of the threads, and of the server, which the kernel gives about as many connections
 * each. 0: LIMIT_PROCESSES wouldn't do. */
size_t share_clients_needed(const struct scenario *s, uint64_t allowed);
size_t share_servers_needed(const struct scenario *s, uint64_t allowed);
/* The files that one of `processes` needs. */
uint64_t share_client_files(const struct scenario *s, size_t processes);
uint64_t share_server_files(const struct scenario *s, size_t processes);

#endif
