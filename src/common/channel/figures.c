/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include "base/text.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FIELD(counter, moves) {#counter, offsetof(struct page_app, counter)},
static const struct {
    const char *name;
    size_t offset;
} field[] = {PAGE_APP_FIELDS(FIELD)};
#undef FIELD

static page_u64 *counter_of(struct page_app *app, size_t i)
{
    return (page_u64 *)((char *)app + field[i].offset);
}

/* What is open now: these may fall. */
static bool is_gauge(size_t i)
{
    return i == FIGURE_established || i == FIGURE_in_flight;
}

/* ---- told ---- */

void figures_tell_rows(struct figures *told, const struct page *page, figures_line_fn say,
                       void *ctx)
{
    char line[LINE_MAX_BYTES];
    uint64_t rows = atomic_load(&page->behaviours);
    for (; told->rows < rows; told->rows++) {
        const struct page_behaviour *b = &page->behaviour[told->rows];
        snprintf(line, sizeof line, "row at=%" PRIu64 " weight=%" PRIu64 " name=%.23s", told->rows,
                 b->weight, b->name);
        say(ctx, line);
    }
}

void figures_tell_app(struct figures *told, const struct page *page, figures_line_fn say, void *ctx)
{
    char line[LINE_MAX_BYTES];
    struct text text = text_into(line, sizeof line);
    bool changed = false;
    text_add(&text, "app");
    for (size_t i = 0; i < FIGURES; i++) {
        uint64_t now = atomic_load(counter_of((struct page_app *)&page->app, i));
        if (now == told->app[i])
            continue;
        text_add(&text, " %s=%" PRIu64, field[i].name, now);
        told->app[i] = now;
        changed = true;
    }
    if (changed)
        say(ctx, line);
}

static void tell_counts(struct figures *told, const struct page *page, figures_line_fn say,
                        void *ctx)
{
    char line[LINE_MAX_BYTES];
    for (size_t at = 0; at < told->rows; at++) {
        const struct page_behaviour *b = &page->behaviour[at];
        for (size_t c = 0; c < PAGE_EPOCHS; c++) {
            uint64_t begun = atomic_load(&b->begun[c]), ended = atomic_load(&b->ended[c]);
            if (begun == told->begun[at][c] && ended == told->ended[at][c])
                continue;
            snprintf(line, sizeof line, "count at=%zu epoch=%zu begun=%" PRIu64 " ended=%" PRIu64,
                     at, c, begun, ended);
            told->begun[at][c] = begun;
            told->ended[at][c] = ended;
            say(ctx, line);
        }
    }
}

static void tell_times(struct figures *told, const struct page *page, figures_line_fn say,
                       void *ctx)
{
    char line[LINE_MAX_BYTES];
    uint64_t count = atomic_load(&page->times.count), max = atomic_load(&page->times.max);
    if (count == told->times.count)
        return;
    snprintf(line, sizeof line, "times count=%" PRIu64 " max=%" PRIu64, count, max);
    told->times.count = count;
    say(ctx, line);
    for (size_t i = 0; i < HIST_BUCKETS; i++) {
        uint64_t n = atomic_load(&page->times.bucket[i]);
        if (n == told->times.bucket[i])
            continue;
        snprintf(line, sizeof line, "bucket at=%zu n=%" PRIu64, i, n);
        told->times.bucket[i] = n;
        say(ctx, line);
    }
}

void figures_tell(struct figures *told, const struct page *page, figures_line_fn say, void *ctx)
{
    figures_tell_rows(told, page, say, ctx);
    figures_tell_app(told, page, say, ctx);
    tell_counts(told, page, say, ctx);
    tell_times(told, page, say, ctx);
}

/* ---- heard ---- */

/* Puts a counter that has grown in its place, and what it has grown by on the page. */
static int grow(uint64_t *heard, page_u64 *sum, uint64_t now)
{
    if (now < *heard || now > FIGURES_MOST)
        return FIGURES_WRONG;
    atomic_fetch_add(sum, now - *heard);
    *heard = now;
    return 0;
}

static int hear_app(struct figures *heard, struct page *page, const char *line)
{
    for (size_t i = 0; i < FIGURES; i++) {
        uint64_t now;
        page_u64 *sum = counter_of(&page->app, i);
        if (line_number(line, field[i].name, &now) != 0)
            continue;
        if (is_gauge(i) && now < heard->app[i]) {
            atomic_fetch_sub(sum, heard->app[i] - now);
            heard->app[i] = now;
        } else if (grow(&heard->app[i], sum, now) != 0) {
            return FIGURES_WRONG;
        }
    }
    return 0;
}

/* The first agent's rows are the page's; the others have the same, or they can't be added. */
static int hear_row(struct figures *heard, struct page *page, const char *line)
{
    struct page_behaviour row = {.weight = 0};
    uint64_t at;
    if (line_number(line, "at", &at) != 0 || line_number(line, "weight", &row.weight) != 0 ||
        line_text(line, "name", true, row.name, sizeof row.name) != 0 || at != heard->rows ||
        at >= PAGE_BEHAVIOURS || !row.name[0] || row.weight > FIGURES_MOST)
        return FIGURES_WRONG;
    text_clean(row.name); /* it is printed */
    struct page_behaviour *own = &page->behaviour[at];
    if (at == atomic_load(&page->behaviours)) {
        memcpy(own->name, row.name, sizeof own->name);
        own->weight = row.weight;
        atomic_store(&page->behaviours, at + 1);
    } else if (strcmp(own->name, row.name) != 0 || own->weight != row.weight) {
        return FIGURES_WRONG;
    }
    heard->rows++;
    return 0;
}

static int hear_count(struct figures *heard, struct page *page, const char *line)
{
    uint64_t at, epoch, begun, ended;
    if (line_number(line, "at", &at) != 0 || line_number(line, "epoch", &epoch) != 0 ||
        line_number(line, "begun", &begun) != 0 || line_number(line, "ended", &ended) != 0 ||
        at >= heard->rows || epoch >= PAGE_EPOCHS ||
        grow(&heard->begun[at][epoch], &page->behaviour[at].begun[epoch], begun) != 0)
        return FIGURES_WRONG;
    return grow(&heard->ended[at][epoch], &page->behaviour[at].ended[epoch], ended);
}

static int hear_times(struct figures *heard, struct page *page, const char *line)
{
    uint64_t count, max;
    if (line_number(line, "count", &count) != 0 || line_number(line, "max", &max) != 0 ||
        max < heard->times.max)
        return FIGURES_WRONG;
    heard->times.max = max;
    if (max > atomic_load(&page->times.max)) /* one thread writes it */
        atomic_store(&page->times.max, max);
    return grow(&heard->times.count, &page->times.count, count);
}

static int hear_bucket(struct figures *heard, struct page *page, const char *line)
{
    uint64_t at, n;
    if (line_number(line, "at", &at) != 0 || line_number(line, "n", &n) != 0 || at >= HIST_BUCKETS)
        return FIGURES_WRONG;
    return grow(&heard->times.bucket[at], &page->times.bucket[at], n);
}

int figures_hear(struct figures *heard, struct page *page, const char *line)
{
    static const struct {
        const char *word;
        int (*hear)(struct figures *heard, struct page *page, const char *line);
    } lines[] = {{"app", hear_app},
                 {"row", hear_row},
                 {"count", hear_count},
                 {"times", hear_times},
                 {"bucket", hear_bucket}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (line_is(line, lines[i].word))
            return lines[i].hear(heard, page, line);
    return FIGURES_OTHER;
}

void figures_lose(struct figures *heard, struct page *page)
{
    uint64_t open = heard->app[FIGURE_opened] - heard->app[FIGURE_closed];
    if (heard->app[FIGURE_opened] >= heard->app[FIGURE_closed])
        atomic_fetch_add(&page->app.closed, open);
    atomic_fetch_sub(&page->app.established, heard->app[FIGURE_established]);
    atomic_fetch_sub(&page->app.in_flight, heard->app[FIGURE_in_flight]);
    heard->app[FIGURE_established] = heard->app[FIGURE_in_flight] = 0;
}
