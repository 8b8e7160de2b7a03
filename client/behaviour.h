/*
 * The mix of behaviours of an epoch: each connection's is drawn at its birth, by weights, from a
 * seeded generator. Pure.
 */
#ifndef SOAK_CLIENT_BEHAVIOUR_H
#define SOAK_CLIENT_BEHAVIOUR_H

#include "base/behaviours.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stdint.h>

/* The number under which the page counts connections that did none of these: they failed, or were
 * cut off by the client's own end. */
enum { BEHAVIOUR_FAILED = BEHAVIOUR_COUNT };

const char *behaviour_name(enum behaviour behaviour);

struct behaviour_mix {
    uint64_t weight[BEHAVIOUR_COUNT]; /* their sum is above 0 and below 2^64 */
};

/* Reads weights `50,30,15,5` in the order of the list, one for each behaviour. Returns 0, or -1
 * when they are too few or too many, malformed, above 2^40, or all 0. */
int behaviour_mix_parse(const char *text, struct behaviour_mix *ret);

/* Draws one. With `must_establish` never BEHAVIOUR_MID_HANDSHAKE: the others keep their weights,
 * and when those are all 0 the connection leaves cleanly. */
enum behaviour behaviour_draw(const struct behaviour_mix *mix, struct rng *rng,
                              bool must_establish);

#endif
