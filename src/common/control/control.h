/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child's end of the control protocol (docs/reference/protocol.md): lines in, lines out, on one
 * loop. End of file means that soak is gone: the process exits at once.
 */
#ifndef SOAK_CONTROL_CONTROL_H
#define SOAK_CONTROL_CONTROL_H

#include "base/err.h"
#include "base/line.h"

#include <stdbool.h>
#include <uv.h>

struct control {
    uv_pipe_t pipe;
    struct line_reader reader;
    line_fn on_line;
    void *ctx; /* borrowed */
    bool open;
};

/* Takes `fd`. `on_line`, which gets every line on this loop, and `ctx` are set. Returns 0 or -1. */
int control_open(struct control *c, uv_loop_t *loop, int fd, struct err *e);
/* Sends one line (a newline is added); does nothing when not open. */
void control_say(struct control *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Closing twice is harmless; the struct must live until the loop has run the close callbacks. */
void control_close(struct control *c);

#endif
