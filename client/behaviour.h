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

struct behaviour_mix {
    uint64_t weight[BEHAVIOUR_COUNT]; /* their sum is above 0 and below 2^64 */
};

/* Draws one. With `must_establish` never BEHAVIOUR_MID_HANDSHAKE: the others keep their weights,
 * and when those are all 0 the connection leaves cleanly. */
enum behaviour behaviour_draw(const struct behaviour_mix *mix, struct rng *rng,
                              bool must_establish);

#endif
