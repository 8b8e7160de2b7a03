/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What soak says while another program keeps it waiting: after 2 s one line on a terminal, drawn
 * again each second; elsewhere a plain line every 30 s. Says which program runs, how far it is
 * where its log has percentages (cmake), and how to stop it. On the loop that the program runs on.
 */
#ifndef SOAK_WAITING_H
#define SOAK_WAITING_H

#include "block.h"

#include <stdint.h>
#include <uv.h>

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
