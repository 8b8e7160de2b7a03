/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other programs, run to their end without a shell: apt-get, dpkg-deb, cmake. What they say goes
 * into a log, and what they print can be caught. They speak English, whatever the user's language,
 * since some of it is read. An interrupt (guard.h) ends the program and is told to the caller;
 * the end of soak ends it too.
 */
#ifndef SOAK_SPAWN_H
#define SOAK_SPAWN_H

#include "base/err.h"
#include "terminal.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct spawn {
    const char *const *argv; /* NULL-ended; argv[0] is looked for in PATH */
    const char *folder;      /* where it runs; NULL = here */
    const char *log;         /* appended to */
    char **ret_output;       /* NULL: stdout goes into the log too. Else the caller frees it */
    uint64_t most_bytes;     /* not 0: stdout is thrown away, and whoever prints more is ended */
    /* spawn_need: what it says in its log, when it fails, of something that isn't there; NULL-ended
     * words, or NULL. */
    const char *const *gone;
};

/* Returns its exit code, or below 0: UV_EINTR after a signal, UV_EFBIG after most_bytes, or -1 when
 * it can't be started or was itself ended by a signal; with a sentence, and nothing in ret_output.
 */
int spawn_run(const struct spawn *s, struct err *e);

/* The same for a program that has to succeed: 0; or below 0, UV_ENOENT when it has said one of
 * `gone`, with the sentence `WHAT: LINE; the whole output is in LOG`, LINE being the log's first
 * line since then that looks like an error. */
int spawn_need(const struct spawn *s, const char *what, struct err *e);

/*
 * What soak says while another program keeps it waiting: after 2 s one line on a terminal, drawn
 * again each second; elsewhere a plain line every 30 s. Says which program runs, how far it is
 * where its log has percentages (cmake), and how to stop it. On the loop that the program runs on.
 */
struct waiting {
    uv_timer_t timer;
    const char *what, *log; /* borrowed: the program's name, and where its output goes */
    uint64_t start_ms, said_ms;
    struct block block;
};

/* The struct stays until the loop is closed. waiting_stop removes the line. */
void waiting_start(struct waiting *w, uv_loop_t *loop, const char *what, const char *log);
void waiting_stop(struct waiting *w);

/* Writes the last `45` of `[ 45%]` in the text to *ret_percent. Returns 0, or -1: there is none. */
int waiting_percent(const char *text, int *ret_percent);

#endif
