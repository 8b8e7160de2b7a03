/* SPDX-License-Identifier: Apache-2.0 */
#include "raw.h"

#include "base/check.h"
#include "records.h"

#include <stdlib.h>

enum { ALERT_FATAL = 2 };

/* The first bytes of the server's answer, which may arrive in parts. */
struct answer {
    size_t used;
    uint8_t bytes[RECORD_ALERT_BYTES];
};

static void judge(struct peer *p, struct answer *a)
{
    const uint8_t *level = a->bytes + RECORD_HEADER_BYTES;
    if (a->bytes[0] == RECORD_ALERT && level[0] == ALERT_FATAL)
        peer_refused(p, level[1]);
    else if (a->bytes[0] == RECORD_ALERT)
        a->used = 0; /* a warning: what it comes to is still to be said */
    else if (a->bytes[0] == RECORD_HANDSHAKE)
        peer_fail(p, PEER_FAIL_HANDSHAKE, "%s: the server answered what it was to refuse",
                  behaviour_name((int)p->behaviour));
}

bool raw_arrived(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct answer *a = p->own;
    if (!a) {
        a = p->own = calloc(1, sizeof *a);
        CHECK(a);
    }
    while (count > 0 && a->used < sizeof a->bytes && p->state != PEER_CLOSED) {
        a->bytes[a->used++] = *bytes++;
        count--;
        if (a->used == sizeof a->bytes)
            judge(p, a);
    }
    return false;
}

size_t raw_turn(const struct peer *p)
{
    return (size_t)(p->message - p->shared->payload);
}
