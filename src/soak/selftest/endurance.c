/* SPDX-License-Identifier: Apache-2.0 */
#include "endurance.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

enum {
    CHECKPOINTS_MIN = 3,
    TICKS_MIN = 3,
    /* What is printed or sampled at a tick has lengths of its own: a few numbers get longer. */
    OWN_BYTES = 1024
};

static const char *const sides[ENDURANCE_SIDES] = {"server", "client"};

static int64_t blocks_of(const json_t *side)
{
    const json_t *openssl = json_object_get(side, "openssl"),
                 *libuv = json_object_get(side, "libuv");
    return json_integer_value(json_object_get(openssl, "blocks")) +
           json_integer_value(json_object_get(libuv, "blocks"));
}

static void add_checkpoint(struct endurance *e, const json_t *line)
{
    bool first = e->checkpoints == e->base;
    if (e->checkpoints++ < e->base)
        return;
    for (size_t i = 0; i < ENDURANCE_SIDES; i++) {
        struct endurance_side *s = &e->side[i];
        s->last = blocks_of(json_object_get(line, sides[i]));
        if (first)
            s->first = s->last;
        s->moved |= s->last != s->first;
    }
}

/* At a checkpoint soak adds to its histories; between two it must not. The first tick of an epoch
 * may still have to do with the checkpoint. */
static void add_tick(struct endurance *e, const json_t *line)
{
    int64_t epoch = json_integer_value(json_object_get(line, "epoch"));
    int64_t own = json_integer_value(json_object_get(json_object_get(line, "soak"), "allocated"));
    if (epoch != e->epoch)
        e->ticks = 0;
    e->epoch = epoch;
    e->last = own;
    if (++e->ticks == 2)
        e->own = own;
    if (e->ticks < TICKS_MIN)
        return;
    e->own_seen = true;
    if (own - e->own > e->grew)
        e->grew = own - e->own;
}

void endurance_add(struct endurance *e, const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    if (kind && strcmp(kind, "checkpoint") == 0)
        add_checkpoint(e, line);
    else if (kind && strcmp(kind, "tick") == 0)
        add_tick(e, line);
}

bool endurance_flat(const struct endurance *e, char *buf, size_t size)
{
    struct text text = text_into(buf, size);
    size_t seen = e->checkpoints > e->base ? e->checkpoints - e->base : 0;
    bool flat = seen >= CHECKPOINTS_MIN && e->grew <= OWN_BYTES;
    text_add(&text, "%zu checkpoints", seen);
    for (size_t i = 0; i < ENDURANCE_SIDES; i++) {
        const struct endurance_side *s = &e->side[i];
        flat = flat && !s->moved;
        text_add(&text, "; %s %s%" PRId64 " blocks", sides[i], s->moved ? "MOVED, " : "", s->first);
        if (s->moved)
            text_add(&text, " to %" PRId64, s->last);
    }
    if (e->own_seen)
        text_add(&text, "; soak's own heap grew by at most %" PRId64 " B within an epoch", e->grew);
    else
        text_add(&text, "; no epoch was long enough to see soak's own heap");
    return flat;
}
