/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `soak selftest --endurance N`: whether the harness itself is flat over a long run. N connections
 * resume TLS 1.2 sessions at full speed; at each checkpoint behind the warm-up server and client
 * must hold as many blocks as at the first, in OpenSSL and in libuv, and soak must not have
 * allocated more at the end of an epoch than at its beginning. Pure.
 */
#ifndef SOAK_ENDURANCE_H
#define SOAK_ENDURANCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENDURANCE_SIDES = 2 };

/* The live set of one side: first and last at checkpoints, and whether one of them differed. */
struct endurance_side {
    int64_t first, last;
    bool moved;
};

struct endurance {
    size_t base;                                 /* the first checkpoint that counts */
    size_t checkpoints;                          /* seen so far, all of them */
    struct endurance_side side[ENDURANCE_SIDES]; /* server, client */
    int64_t grew;                                /* the most that soak grew within an epoch */
    double last_s, longest_s;                    /* the last checkpoint; the longest epoch */
};

enum endurance_state { ENDURANCE_FLAT, ENDURANCE_MOVED, ENDURANCE_TOO_SHORT };

/* A line of samples.jsonl, in their order. */
void endurance_add(struct endurance *e, const json_t *line);
/* What has been seen so far; writes the sentence. */
enum endurance_state endurance_judge(const struct endurance *e, char *buf, size_t size);

#endif
