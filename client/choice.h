/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the connections of this run do: the mix that was asked for without what this build can't do,
 * and the rows of the page in which it is counted.
 */
#ifndef SOAK_CLIENT_CHOICE_H
#define SOAK_CLIENT_CHOICE_H

#include "base/err.h"
#include "behaviour.h"
#include "operation.h"
#include "page/page.h"

struct choice {
    struct behaviour_mix mix;
    const char *unable[BEHAVIOUR_COUNT]; /* why it can't be done, or NULL */
    struct behaviour_rows rows;
    enum behaviour holder; /* holds slots that the mix has no one for */
};

/* Returns 0, or -1 when nothing is left, or too much for the page. */
int choice_make(const struct behaviour_mix *asked, struct choice *ret, struct err *e);
/* The orchestrator learns from the page what behaviours there are: it knows none by itself. */
void choice_publish(const struct choice *c, enum operation operation, struct page *page);

#endif
