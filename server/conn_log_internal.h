/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the connection log share: conn_log.c listens, conn_log_line.c prints. */
#ifndef SOAK_SERVER_TRACE_PARTS_H
#define SOAK_SERVER_TRACE_PARTS_H

#include "conn_log.h"

#include <stdbool.h>

enum {
    STEPS_MAX = 48,
    /* Two texts of 255 bytes from the peer, escaped, are 2,040; the rest stays below 1,500. */
    TRACE_LINE_BYTES = 4096
};

/* What `saw` shows: a handshake message's type, or one of these. */
enum { STEP_CCS = 256, STEP_HRR = 257 };

struct step {
    uint16_t what;
    bool out;
    uint32_t count;
};

enum { ALERT_NONE = -1 };

/* One direction. */
struct trace_way {
    uint64_t bytes;
    uint64_t data, alerts; /* records */
    uint64_t finished, key_updates;
    int alert; /* its code */
};

struct trace {
    struct trace_log *log; /* borrowed: outlives the connections */
    uint64_t number;
    struct trace_way in, out;
    uint64_t empty; /* records received */
    bool done, resumed, more;
    enum trace_end end;
    size_t steps;
    struct step step[STEPS_MAX];
};

/* Writes the line, newline included; never more than `size`. Returns its length. */
size_t trace_line(const struct trace *t, SSL *ssl, char *to, size_t size);

#endif
