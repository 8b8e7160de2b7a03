/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signals by which soak is asked to end, on the caller's loop: Ctrl-C (SIGINT), SIGTERM, and
 * SIGHUP of a terminal that was closed. One that the caller of soak has it ignore stays ignored, so
 * that nohup does what it says; but for SIGINT, which a shell ignores in all that it starts in the
 * background.
 */
#ifndef SOAK_INTERRUPTS_H
#define SOAK_INTERRUPTS_H

#include <stdbool.h>
#include <uv.h>

enum { INTERRUPTS = 3 };

typedef void (*interrupt_fn)(void *owner, int signal_number);

/* Embedded by the owner; stays until the loop has run the close callbacks. */
struct interrupts {
    uv_signal_t handle[INTERRUPTS];
    interrupt_fn fn;
    void *owner;   /* borrowed */
    bool happened; /* one of them came */
};

void interrupts_start(struct interrupts *i, uv_loop_t *loop, interrupt_fn fn, void *owner);
/* They don't keep the loop alive. */
void interrupts_unref(struct interrupts *i);
/* Closing twice, or what was never started, is harmless. Where one came, further ones change
 * nothing from here on: the owner is ending, and still writes what it has. */
void interrupts_stop(struct interrupts *i);

#endif
