/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits in options.def and programs.def: `soak` refuses what is beyond them before it starts
 * the server and the client, and these refuse it when they are started by hand.
 */
#ifndef SOAK_BASE_LIMITS_H
#define SOAK_BASE_LIMITS_H

enum {
    LIMIT_CONNS = 100000,
    LIMIT_WORKERS = 32, /* event loops of one program: each has a slot of the probe page */
    LIMIT_SOURCES = 250,
    LIMIT_CONNS_PER_SOURCE = 10000, /* of about 28,000 ports: others wait in TIME_WAIT */
    LIMIT_PAYLOAD = 1 << 20,
    LIMIT_OPERATION = 16 * 1024, /* the payload of an operation, which is one record */
    LIMIT_WEIGHT = 1000000,
    LIMIT_CACHE = 10000000, /* entries */
    LIMIT_TICKETS = 16,
    LIMIT_PADDING = 16384, /* OpenSSL's SSL3_RT_MAX_PLAIN_LENGTH */
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

#endif
