/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the connection log share: conn_log.c listens, conn_log_line.c prints. */
#ifndef SOAK_SERVER_CONN_LOG_INTERNAL_H
#define SOAK_SERVER_CONN_LOG_INTERNAL_H

#include "conn_log.h"

#include <stdbool.h>

enum {
    STEPS_MAX = 48,
    /* Two texts of 255 bytes from the peer, escaped, are 2,040; the rest stays below 1,500. */
    CONN_LOG_LINE_BYTES = 4096
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
struct conn_log_way {
    uint64_t bytes;
    uint64_t data, alerts; /* records */
    uint64_t finished, key_updates;
    int alert; /* its code */
};

struct conn_log {
    struct conn_log_file *log; /* borrowed: outlives the connections */
    uint64_t number;
    struct conn_log_way in, out;
    uint64_t empty; /* records received */
    bool done, resumed, more;
    enum conn_log_end end;
    size_t steps;
    struct step step[STEPS_MAX];
};

/* Writes the line, newline included; never more than `size`. Returns its length. */
size_t conn_log_line(const struct conn_log *t, SSL *ssl, char *to, size_t size);

#endif
