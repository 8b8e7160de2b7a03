/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers' wire format, the writing half: varints and length-delimited fields are all that
 * profile.proto needs. A buffer that ran out of memory remembers it, so only the end must ask.
 * https://protobuf.dev/programming-guides/encoding/
 */
#ifndef SOAK_PROFILE_PROTO_H
#define SOAK_PROFILE_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
