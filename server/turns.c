/* SPDX-License-Identifier: Apache-2.0 */
#include "turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a behaviour, or of "failed", which comes after them. */
static size_t row_of(const struct turns *t, enum server_behaviour done)
{
    size_t row = 0;
    for (int i = 0; i < (int)done; i++)
        row += t->usual[i] > 0;
    return row;
}

static void name_row(struct page *page, size_t row, const char *name, uint64_t weight)
{
    snprintf(page->behaviour[row].name, sizeof page->behaviour[row].name, "%s", name);
    page->behaviour[row].weight = weight;
}

void turns_start(struct turns *t, const uint64_t *weight, uint64_t seed, struct page *page)
{
    *t = (struct turns){.on = true, .rng = {.state = seed}};
    memcpy(t->usual, weight, sizeof t->usual);
    for (int i = 0; i < SERVER_BEHAVIOURS; i++)
        if (weight[i])
            name_row(page, row_of(t, (enum server_behaviour)i),
                     server_behaviour_entry((enum server_behaviour)i)->name, weight[i]);
    name_row(page, row_of(t, SERVER_BEHAVIOURS), "failed", 0);
    atomic_store(&page->behaviours, row_of(t, SERVER_BEHAVIOURS) + 1);
}

static int read_mix(struct turns *t, const char *mix)
{
    uint64_t weight[SERVER_BEHAVIOURS] = {0}, total = 0;
    size_t rows = row_of(t, SERVER_BEHAVIOURS);
    for (int i = 0; i < SERVER_BEHAVIOURS; i++) {
        char *end;
        if (!t->usual[i])
            continue;
        if (*mix < '0' || *mix > '9')
            return -1;
        total += weight[i] = strtoull(mix, &end, 10);
        if (*end != (--rows ? ',' : '\0'))
            return -1;
        mix = end + 1;
    }
    memcpy(t->weight, weight, sizeof weight);
    return total > 0 ? 0 : -1;
}

int turns_begin(struct turns *t, uint64_t opens, const char *mix)
{
    memcpy(t->weight, t->usual, sizeof t->weight);
    if (mix && read_mix(t, mix) < 0)
        return -1;
    t->under_way = true;
    t->left = opens;
    return 0;
}

bool turns_take(struct turns *t)
{
    if (!t->on)
        return true;
    if (t->left == 0)
        return false;
    t->left--;
    return true;
}

static uint64_t epoch_of(const struct page *page)
{
    uint64_t last = PAGE_EPOCHS - 1, now = page_epoch(atomic_load(&page->epoch));
    return now < last ? now : last;
}

struct turn turns_draw(struct turns *t, const struct page *page)
{
    struct turn turn = {.epoch = epoch_of(page)};
    uint64_t total = 0;
    for (int i = 0; i < SERVER_BEHAVIOURS; i++)
        total += t->weight[i];
    uint64_t pick = total ? rng_below(&t->rng, total) : 0;
    int choice = 0;
    while (choice + 1 < SERVER_BEHAVIOURS && pick >= t->weight[choice])
        pick -= t->weight[choice++];
    turn.behaviour = (enum server_behaviour)choice;
    t->open[turn.epoch]++;
    return turn;
}

void turns_count(struct turns *t, const struct turn *turn, struct page *page)
{
    size_t row = row_of(t, turn->served ? turn->behaviour : SERVER_BEHAVIOURS);
    struct page_behaviour *as = &page->behaviour[row];
    t->open[turn->epoch]--;
    atomic_fetch_add(&as->begun[turn->epoch], 1);
    atomic_fetch_add(&as->ended[epoch_of(page)], 1);
}

uint64_t turns_oldest(const struct turns *t, const struct page *page)
{
    uint64_t now = epoch_of(page), oldest = 0;
    while (oldest < now && t->open[oldest] == 0)
        oldest++;
    return oldest;
}
