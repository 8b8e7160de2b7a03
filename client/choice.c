/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#include "pool.h"
#include "recipe.h"

#include <stdio.h>

_Static_assert((int)BEHAVIOUR_ROWS_MAX < (int)PAGE_BEHAVIOURS,
               "the page has room for every row and for failed");

static void leave_out_unable(struct choice *c)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        const struct recipe *recipe = recipe_of((enum behaviour)i);
        const char *why = c->mix.weight[i] && recipe->unable ? recipe->unable() : NULL;
        if (!why)
            continue;
        c->mix.weight[i] = 0;
        c->unable[i] = why;
    }
}

static bool any_left(const struct behaviour_mix *mix)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (mix->weight[i])
            return true;
    }
    return false;
}

static const char *first_reason(const struct choice *c)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (c->unable[i])
            return c->unable[i];
    }
    return "their weights are 0";
}

int choice_make(const struct behaviour_mix *asked, struct choice *ret, struct err *e)
{
    struct choice c = {.mix = *asked};
    leave_out_unable(&c);
    if (!any_left(&c.mix))
        return err_set(e, "none of the behaviours asked for can be done here: %s",
                       first_reason(&c));
    c.holder = recipe_holder(&c.mix);
    if (behaviour_rows_make(&c.mix, c.holder, &c.rows) < 0)
        return err_set(e, "at most %d behaviours in one run", BEHAVIOUR_ROWS_MAX);
    *ret = c;
    return 0;
}

static void name_row(struct page *page, size_t row, const char *name)
{
    snprintf(page->behaviour[row].name, sizeof page->behaviour[row].name, "%s", name);
}

/* Operations are all alike: none is drawn, so none has a weight. */
static void publish_operation(struct page *page, enum operation operation)
{
    name_row(page, POOL_ROW_OPERATION, operation_name(operation));
    name_row(page, POOL_ROW_FAILED, behaviour_name(BEHAVIOUR_FAILED));
    atomic_store(&page->behaviours, POOL_OPERATION_ROWS);
}

void choice_publish(const struct choice *c, enum operation operation, struct page *page)
{
    if (operation != OPERATION_NONE) {
        publish_operation(page, operation);
        return;
    }
    for (size_t i = 0; i < c->rows.count; i++) {
        name_row(page, i, behaviour_name((int)c->rows.of[i]));
        page->behaviour[i].weight = c->mix.weight[c->rows.of[i]];
    }
    name_row(page, c->rows.count, behaviour_name(BEHAVIOUR_FAILED));
    atomic_store(&page->behaviours, c->rows.count + 1);
}
