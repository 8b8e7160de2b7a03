/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection says once its handshake is done, and what must come back before it counts as
 * established:
 *
 * - soak-server echoes: the message is the payload, and what comes back must be equal to it.
 * - --say, --answer: the text is said, and the answer must contain the other text, in however many
 *   pieces it comes; without --answer a byte of it will do. What comes besides is thrown away.
 * - any other server is told nothing. It has accepted the handshake as soon as it says something
 *   after it, such as a ticket (peer_io.c).
 *
 * Pure.
 */
#ifndef SOAK_CLIENT_TALK_H
#define SOAK_CLIENT_TALK_H

#include "base/err.h"
#include "options/opts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum talk_kind { TALK_ECHO, TALK_TEXT, TALK_SILENT };

struct talk {
    enum talk_kind kind;
    bool foreign; /* the server isn't soak-server */
    size_t say_bytes, answer_bytes;
    uint8_t say[OPTS_STRING_LIMIT], answer[OPTS_STRING_LIMIT];
    /* Of the first i + 1 bytes of the answer: how many of its last ones are its first ones. */
    uint16_t border[OPTS_STRING_LIMIT];
};

/* `say` and `answer` are as typed (grammar_bytes), or NULL. Returns 0 or -1. */
int talk_init(struct talk *t, const char *say, const char *answer, bool foreign, struct err *e);

/* How much of the answer has been heard, when `heard` of it had been (0 at first) and these bytes
 * come. For TALK_TEXT. */
size_t talk_hear(const struct talk *t, size_t heard, const uint8_t *bytes, size_t count);
bool talk_answered(const struct talk *t, size_t heard);

/* Adds these bytes to `line`, text of `size` with its end, up to the end of its first line or to
 * what there is room for. */
void talk_quote(char *line, size_t size, const uint8_t *bytes, size_t count);

#endif
