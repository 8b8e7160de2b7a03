/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "peer.h"
#include "starttls/starttls.h"

#include <string.h>

/* Half of the request for TLS, in the middle of a line, a packet or a tag. */
static void halve(struct peer *p)
{
    if (!starttls_asked(p->starttls))
        return;
    p->shared->net.out.used /= 2;
    p->flights++;
}

/* Bytes of every value in place of the first words; others in each connection, the same ones when
 * the run is repeated. */
static void babble(struct peer *p)
{
    enum { BYTES = 1024 };
    struct wire_out *out = &p->shared->net.out;
    unsigned value = (unsigned)peer_variant(p);
    for (out->used = 0; out->used < BYTES; out->used++) {
        value = value * 1664525 + 1013904223;
        out->bytes[out->used] = (uint8_t)(value >> 24);
    }
    p->flights++;
}

/* A command behind the request for TLS, in the same segment. */
static void inject(struct peer *p)
{
    size_t count;
    struct wire_out *out = &p->shared->net.out;
    if (!starttls_asked(p->starttls))
        return;
    const char *command = starttls_injection(p->shared->starttls, &count);
    memcpy(out->bytes + out->used, command, count);
    out->used += count;
}

#define IN_STARTTLS(the_exit, hook)                                                                \
    {                                                                                              \
        .end = RECIPE_CUT, .exit = the_exit, .point = POINT_STARTTLS, .in_starttls = true,         \
        .transmit = hook                                                                           \
    }

const struct recipe recipes_starttls[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_STARTTLS_ABORT] = IN_STARTTLS(EXIT_IN_TURN, halve),
    [BEHAVIOUR_STARTTLS_GARBAGE] = IN_STARTTLS(EXIT_FIN, babble),
    [BEHAVIOUR_STARTTLS_INJECT] = IN_STARTTLS(EXIT_FIN, inject),
};
