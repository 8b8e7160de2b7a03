/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits in options.def and programs.def: `soak` refuses what is beyond them before it starts
 * the server and the client, and these refuse it when they are started by hand. And what the client
 * needs for its connections: said by soak before a run, and by the client when it is started by
 * hand. Pure, but for the number of processors.
 */
#ifndef SOAK_OPTIONS_LIMITS_H
#define SOAK_OPTIONS_LIMITS_H

#include <stdint.h>

enum {
    LIMIT_CONNS = 100000,
    LIMIT_WORKERS = 32, /* event loops of one process: up to 255 of all its subject's processes have
                           a slot of the probe page each, further ones share the last */
    LIMIT_PROCESSES = 32, /* of the client, and of the server */
    LIMIT_SOURCES = 250,
    LIMIT_CONNS_PER_SOURCE = 10000,      /* of about 28,000 ports: others wait in TIME_WAIT */
    LIMIT_PER_SOURCE_AND_MINUTE = 20000, /* new connections */
    LIMIT_PAYLOAD = 1 << 20,
    LIMIT_OPERATION = 16 * 1024, /* the payload of an operation, which is one record */
    LIMIT_WEIGHT = 1000000,
    LIMIT_CACHE = 10000000, /* entries */
    LIMIT_TICKETS = 16,
    LIMIT_CERT_NAMES = 2000, /* 58 KiB: OpenSSL's clients take 100 KiB of certificates */
    LIMIT_PADDING = 16384,   /* OpenSSL's SSL3_RT_MAX_PLAIN_LENGTH */
    LIMIT_LOOP_LEAST = 12,   /* runs of a program: of fewer no scatter can be told */
    LIMIT_LOOP = 48,         /* each is an epoch of the probe page */
    LIMIT_ONE_IN = 1000000000,
    LIMIT_FOOTPRINT_PAYLOAD = 65536,
    LIMIT_FOOTPRINT_CONNS = 1001
};
#define LIMIT_SECOND_NS UINT64_C(1000000000)

/* The column `limits` of the lists. */
#define WITHIN(least, most)                                                                        \
    {                                                                                              \
        least, most                                                                                \
    }
#define UNLIMITED                                                                                  \
    {                                                                                              \
        0, 0                                                                                       \
    }

/* Bounds per worker: a listener's backlog and the descriptors stay within reason. */
enum { LOAD_OPENING_MAX = 256, LOAD_LEAVING_MAX = 256 };

/* Threads: those asked for, or with 0 as many as processors, at most 4; never more than
 * connections.
 */
int load_need_workers(int asked, uint64_t conns);
/* Descriptors in all: of the open connections, those that replace them, those that linger on, and a
 * few others. */
uint64_t load_need_files(uint64_t conns, int workers);

/* The part of `total` that falls to the owner of slots [from, to) of `slots`: parts of neighbours
 * add up, and an owner's part is at least its number of slots when `total` >= `slots`. */
uint64_t load_share(uint64_t total, uint64_t from, uint64_t to, uint64_t slots);

#endif
