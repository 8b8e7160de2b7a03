/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest values of options that more than one program takes: `soak` refuses what is above them
 * before it starts the server and the client, and these refuse it from whoever starts them by hand.
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
    LIMIT_PADDING = 16384 /* OpenSSL's SSL3_RT_MAX_PLAIN_LENGTH */
};

#endif
