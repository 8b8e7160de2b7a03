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
#include <stdint.h>
#include <stdio.h>
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

/*
 * What soak-server and soak-client do alike as programs: how they start, whom they follow and how
 * they give up. Called from main, before any other thread runs unless it says otherwise.
 */
struct program {
    const char *name;
    void (*print_help)(FILE *out);
    const char *crypto; /* the version of OpenSSL in fact loaded */
    bool help, version; /* asked for on the command line */
    int control_fd;
};

/* Says what is wrong with the command line. Returns the exit code. */
int program_refuse(const char *name, const struct err *e);

/* What main does once its options are read. Returns the exit code when --help or --version was all;
 * else -1, after program_start. */
int program_begin(const struct program *p);

/* A peer that is gone becomes an error of the write, not a signal. With a control socket (0 or
 * more) Ctrl-C is left to soak, and the process dies with its parent, however that ends. */
void program_start(int control_fd);

/* Raises the limit of open files as far as it may go. Returns how many are allowed, or UINT64_MAX
 * when that can't be read. */
uint64_t program_raise_files(void);

/* Gives the sentence to soak and to stderr and exits. Nothing is freed: other threads may run. */
_Noreturn void program_fail(const char *name, int control_fd, const struct err *e);

#endif
