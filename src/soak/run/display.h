/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the live view what the run is doing. Everything is read from the pages and the last
 * judgement; nothing is decided here.
 */
#ifndef SOAK_DISPLAY_H
#define SOAK_DISPLAY_H

#include "run.h"

/* Begins: the live view, unless the run is quiet, and what --serve and --metrics ask for. Returns 0
 * or -1. */
int display_open(struct run *r, struct err *e);
/* No more is shown: what the loop waits for is closed. */
void display_stop(struct run *r);
/* After the loop. */
void display_close(struct run *r);
/* A new step of the plan begins. */
void display_phase(struct run *r);
/* Four times a second. */
void display_tick(struct run *r);
/* One sentence to the person, above the live view. */
void display_note(struct run *r, const char *text);
/* The same of a subject; where nothing is drawn, on stderr: agents have to be told where to join.
 */
void display_say(struct subject *s, const char *text);

#endif
