/* SPDX-License-Identifier: Apache-2.0 */
#include "endurance.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

enum {
    CHECKPOINTS_MIN = 3,
    /* A measured epoch grows by nothing, or by the 160 bytes that one number more takes. */
    OWN_BYTES = 1024
};

/* soak samples once a second. An epoch that sees none of that says nothing about it. */
static const double sampled_s = 3;

static const char *const sides[ENDURANCE_SIDES] = {"server", "client"};

static int64_t blocks_of(const json_t *side)
{
    const json_t *openssl = json_object_get(side, "openssl"),
                 *libuv = json_object_get(side, "libuv");
    return json_integer_value(json_object_get(openssl, "blocks")) +
           json_integer_value(json_object_get(libuv, "blocks"));
}

/* At a checkpoint soak adds to its histories; between two of them it must not grow. */
static void add_own(struct endurance *e, const json_t *own, double took_s)
{
    int64_t grew = json_integer_value(json_object_get(own, "allocated")) -
                   json_integer_value(json_object_get(own, "began"));
    if (grew > e->grew)
        e->grew = grew;
    if (took_s > e->longest_s)
        e->longest_s = took_s;
}

static void add_sides(struct endurance *e, const json_t *line, bool first)
{
    for (size_t i = 0; i < ENDURANCE_SIDES; i++) {
        struct endurance_side *s = &e->side[i];
        s->last = blocks_of(json_object_get(line, sides[i]));
        if (first)
            s->first = s->last;
        s->moved |= s->last != s->first;
    }
}

void endurance_add(struct endurance *e, const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    if (!kind || strcmp(kind, "checkpoint") != 0)
        return;
    double seconds = json_number_value(json_object_get(line, "seconds"));
    size_t number = e->checkpoints++;
    if (number >= e->base)
        add_sides(e, line, number == e->base);
    if (number > e->base)
        add_own(e, json_object_get(line, "soak"), seconds - e->last_s);
    e->last_s = seconds;
}

static void say_own(const struct endurance *e, struct text *text)
{
    text_add(text, "; soak's own heap grew by at most %" PRId64 " B within an epoch", e->grew);
    if (e->longest_s < sampled_s)
        text_add(text,
                 ", but no epoch lasted the %.0f s that it takes to see what soak does once a "
                 "second",
                 sampled_s);
    else
        text_add(text, ", the longest of %.0f s", e->longest_s);
}

enum endurance_state endurance_judge(const struct endurance *e, char *buf, size_t size)
{
    struct text text = text_into(buf, size);
    size_t seen = e->checkpoints > e->base ? e->checkpoints - e->base : 0;
    bool moved = e->grew > OWN_BYTES;
    text_add(&text, "%zu checkpoint%s", seen, seen == 1 ? "" : "s");
    for (size_t i = 0; seen && i < ENDURANCE_SIDES; i++) {
        const struct endurance_side *s = &e->side[i];
        moved |= s->moved;
        text_add(&text, "; %s %s%" PRId64 " blocks", sides[i], s->moved ? "MOVED, " : "", s->first);
        if (s->moved)
            text_add(&text, " to %" PRId64, s->last);
    }
    if (seen > 1)
        say_own(e, &text);
    return moved ? ENDURANCE_MOVED : seen < CHECKPOINTS_MIN ? ENDURANCE_TOO_SHORT : ENDURANCE_FLAT;
}
