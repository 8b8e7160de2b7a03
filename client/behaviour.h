/*
 * How a connection ends. Each is drawn at the connection's birth, by weights, from a seeded
 * generator. Pure.
 *
 * clean          close_notify, the server's close_notify, then TCP close: the client closes first.
 * reset          RST.
 * half-close     FIN without a close_notify, then wait for the server's end.
 * mid-handshake  never established: once the server's first bytes are here, RST and FIN in turn.
 */
#ifndef SOAK_CLIENT_BEHAVIOUR_H
#define SOAK_CLIENT_BEHAVIOUR_H

#include "base/rng.h"

#include <stdbool.h>
#include <stdint.h>

/* identifier, name on the command line, default weight, help */
#define BEHAVIOUR_LIST(X)                                                                          \
    X(CLEAN, "clean", 50, "leave by close_notify both ways")                                       \
    X(RESET, "reset", 30, "leave by a TCP reset")                                                  \
    X(HALF_CLOSE, "half-close", 15, "leave by FIN without close_notify")                           \
    X(MID_HANDSHAKE, "mid-handshake", 5, "leave in the middle of the handshake")

enum behaviour {
#define X(identifier, name, weight, help) BEHAVIOUR_##identifier,
    BEHAVIOUR_LIST(X)
#undef X
        BEHAVIOUR_COUNT
};

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
