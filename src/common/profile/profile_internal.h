/* SPDX-License-Identifier: Apache-2.0 */
/* What the profile and its writers share. Internal to src/common/profile. */
#ifndef SOAK_PROFILE_PROFILE_INTERNAL_H
#define SOAK_PROFILE_PROFILE_INTERNAL_H

#include "base/intern.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All texts belong to the profile's set, so equal texts are equal pointers. */
struct profile_frame {
    const char *name;   /* what is shown: a function, or what is known instead of it */
    const char *module; /* "" when unknown; so are the texts below */
    const char *function;
    const char *file;
    uint64_t line, address;
    uint64_t named; /* 0 or 1; as wide as the rest, so that frames compare as bytes */
};

struct profile_stack {
    const char *subject, *behaviour; /* behaviour: "" when not told apart */
    uint64_t epoch, hash;
    int64_t blocks, bytes;
    struct profile_frame *frame; /* owned, innermost first */
    size_t frames;
};

struct profile {
    struct intern *texts;
    struct profile_stack *stack;
    size_t stacks, room;
    int64_t untaken; /* blocks without a stack */
};

/* A writer begins: what goes wrong with the stream from here on is told by profile_finish. */
void profile_begin(void);
/* Flushes; -1 with a sentence when anything written before was lost. */
int profile_finish(FILE *out, struct err *e);

/* The stacks of a subject as one tree, root first, siblings by falling bytes. */
struct profile_node {
    const char *name;
    const struct profile_frame *frame; /* NULL: a subject */
    int64_t blocks, bytes;             /* of all stacks through this node */
    int64_t own_bytes;                 /* of those that end here */
    struct profile_node *child, *next; /* owned */
    bool lines;                        /* calls from several lines were added up */
};

/* The subjects as a list. Stacks whose bytes aren't above 0 have no width and are left out. NULL
 * and `*ret_failed` when out of memory; NULL alone when there is nothing to show. */
struct profile_node *profile_tree_new(const struct profile *p, bool *ret_failed);
void profile_tree_free(struct profile_node *first);

/*
 * Protocol buffers' wire format, the writing half: varints and length-delimited fields are all that
 * profile.proto needs. A buffer that ran out of memory remembers it, so only the end must ask.
 * https://protobuf.dev/programming-guides/encoding/
 */
struct proto {
    unsigned char *data; /* owned */
    size_t used, room;
    bool failed;
};

void proto_fini(struct proto *m);

/* A field of type int64, uint64 or bool. A 0 is the default and is not written. */
void proto_number(struct proto *m, unsigned field, uint64_t value);
/* A field of type string or bytes. */
void proto_bytes(struct proto *m, unsigned field, const void *data, size_t length);
/* A field that is a message. `message` is emptied for the next one; its failure passes on. */
void proto_message(struct proto *m, unsigned field, struct proto *message);
/* An element of a packed repeated field, without its tag: the field is written by proto_message. */
void proto_element(struct proto *m, uint64_t value);

#endif
