/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak-server as the load of a client program (--paced): it accepts in epochs, as many connections
 * as it is told to, and holds back the next ones in between, so that the program waits. An epoch is
 * over when the last of its connections has closed. Each is counted by the epoch of its begin and
 * of its end, as soak-client counts its own. Everything runs on the main thread, the only worker.
 */
#ifndef SOAK_SERVER_TURNS_H
#define SOAK_SERVER_TURNS_H

#include "page/page.h"

#include <stdbool.h>
#include <stdint.h>

struct turns {
    bool on;
    bool under_way; /* an epoch, whose end is to be said */
    uint64_t left;  /* connections that it may still accept */
};

/* Names the rows of the page. */
void turns_start(struct turns *t, struct page *page);
void turns_begin(struct turns *t, uint64_t opens);
/* Whether another connection may be accepted: it is counted then. */
bool turns_take(struct turns *t);
/* One that was begun in `epoch` has ended. */
void turns_count(struct page *page, uint64_t epoch, bool served);

#endif
