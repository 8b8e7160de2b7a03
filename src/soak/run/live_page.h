/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --serve: the page of a run under way. It is made when somebody asks for it, by soak's own process
 * and not by what is measured, and handed out again until it is due anew: at most once a second,
 * and so seldom that making it takes at most a fiftieth of a processor's time. Functions are named
 * in that time too, those of a few stacks: the first time opens the program files, which are kept.
 */
#ifndef SOAK_LIVE_PAGE_H
#define SOAK_LIVE_PAGE_H

#include "live.h"
#include "run.h"

#include <jansson.h>

struct live_page;

struct live_page *live_page_new(void);
/* NULL is fine. */
void live_page_free(struct live_page *p);
/* A line of samples.jsonl, for the charts over time. */
void live_page_sample(struct live_page *p, const json_t *line);
/* Whether it has to be made anew. `measured`: not if there is one, as the run is at a point that is
 * better left alone. */
bool live_page_due(const struct live_page *p, bool measured);
/* Makes it; free. */
char *live_page_write(struct live_page *p, const struct run *r, const struct live_facts *facts);
/* As it was made last; free. NULL: it never was. */
char *live_page_last(const struct live_page *p);

#endif
