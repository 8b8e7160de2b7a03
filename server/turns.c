/* SPDX-License-Identifier: Apache-2.0 */
#include "turns.h"

#include <stdio.h>

enum { ROW_SERVED, ROW_FAILED, ROWS };

void turns_start(struct turns *t, struct page *page)
{
    *t = (struct turns){.on = true};
    snprintf(page->behaviour[ROW_SERVED].name, sizeof page->behaviour[0].name, "served");
    snprintf(page->behaviour[ROW_FAILED].name, sizeof page->behaviour[0].name, "failed");
    page->behaviour[ROW_SERVED].weight = 1;
    atomic_store(&page->behaviours, ROWS);
}

void turns_begin(struct turns *t, uint64_t opens)
{
    t->under_way = true;
    t->left = opens;
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

void turns_count(struct page *page, uint64_t epoch, bool served)
{
    struct page_behaviour *as = &page->behaviour[served ? ROW_SERVED : ROW_FAILED];
    uint64_t last = PAGE_EPOCHS - 1, now = page_epoch(atomic_load(&page->epoch));
    atomic_fetch_add(&as->begun[epoch < last ? epoch : last], 1);
    atomic_fetch_add(&as->ended[now < last ? now : last], 1);
}
