/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client on another machine counts (struct page_app, its behaviours' rows, its handshakes'
 * times) as lines, and the lines put together again: the run's page of the load is the sum of all
 * agents' figures. Counters travel as they stand, not as differences, so that a line says the same
 * whatever came before it. What arrives comes from another machine and is checked: nothing but the
 * gauges may fall, and rows are those of the first agent.
 *
 *     row at=R weight=W name=NAME             the page's rows, in order, before anything else
 *     app opened=N closed=N ...               what has changed
 *     count at=R epoch=E begun=N ended=N
 *     times count=N max=NS
 *     bucket at=B n=N
 *
 * Plain memory, no I/O.
 */
#ifndef SOAK_CHANNEL_FIGURES_H
#define SOAK_CHANNEL_FIGURES_H

#include "base/line.h"
#include "page/page.h"

#include <stdbool.h>
#include <stdint.h>

#define FIGURE(counter, moves) FIGURE_##counter,
enum figure { PAGE_APP_FIELDS(FIGURE) FIGURES };
#undef FIGURE

/* JSON's integers, exact in a double. */
#define FIGURES_MOST (UINT64_C(1) << 53)

/* As they were last told, or heard. */
struct figures {
    uint64_t app[FIGURES];
    uint64_t rows;
    uint64_t begun[PAGE_BEHAVIOURS][PAGE_EPOCHS], ended[PAGE_BEHAVIOURS][PAGE_EPOCHS];
    struct hist times;
};

typedef void (*figures_line_fn)(void *ctx, const char *line);

/* Says what has changed: the counters alone, or everything; and first of all the rows. */
void figures_tell_rows(struct figures *told, const struct page *page, figures_line_fn say,
                       void *ctx);
void figures_tell_app(struct figures *told, const struct page *page, figures_line_fn say,
                      void *ctx);
void figures_tell(struct figures *told, const struct page *page, figures_line_fn say, void *ctx);

/* Takes a line into `heard` and adds what is new of it to the page. Returns 0; -1 when it is none
 * of these lines; -2 when what it says can't be. */
enum { FIGURES_OTHER = -1, FIGURES_WRONG = -2 };
int figures_hear(struct figures *heard, struct page *page, const char *line);
/* Who told them is gone: what it held open has closed. */
void figures_lose(struct figures *heard, struct page *page);

#endif
