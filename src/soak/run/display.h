/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the live view what the run is doing. Everything is read from the pages and the last
 * judgement; nothing is decided here.
 */
#ifndef SOAK_DISPLAY_H
#define SOAK_DISPLAY_H

#include "run.h"

/* A new step of the plan begins. */
void display_phase(struct run *r);
/* Four times a second. */
void display_tick(struct run *r);
/* One sentence to the person, above the live view. */
void display_note(struct run *r, const char *text);

#endif
