/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "base/check.h"
#include "pool.h"

#include <stdio.h>

const struct recipe *recipe_of(enum behaviour behaviour)
{
    static const struct recipe *const table[BEHAVIOUR_FAMILIES] = {
        [BEHAVIOUR_LEAVE] = recipes_leave,       [BEHAVIOUR_RESUME] = recipes_resume,
        [BEHAVIOUR_STARTTLS] = recipes_starttls, [BEHAVIOUR_HOSTILE] = recipes_hostile,
        [BEHAVIOUR_FEATURE] = recipes_feature,   [BEHAVIOUR_RESOURCE] = recipes_stall,
        [BEHAVIOUR_HTTP2] = recipes_http2,
    };
    const struct recipe *family = table[behaviour_entry(behaviour)->family];
    CHECK(family);
    return &family[behaviour];
}

bool recipe_needs_sessions(const uint64_t *weight)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (weight[i] > 0 && behaviour_entry((enum behaviour)i)->family == BEHAVIOUR_RESUME)
            return true;
    }
    return false;
}

static bool holds(const struct behaviour_mix *mix, int behaviour)
{
    return mix->weight[behaviour] > 0 && recipe_of((enum behaviour)behaviour)->end == RECIPE_HELD;
}

enum behaviour recipe_holder(const struct behaviour_mix *mix)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (holds(mix, i))
            return (enum behaviour)i;
    }
    return BEHAVIOUR_CLEAN;
}

struct behaviour_mix recipe_held_part(const struct behaviour_mix *mix, enum behaviour holder)
{
    struct behaviour_mix held = {{0}};
    bool any = false;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (!holds(mix, i))
            continue;
        held.weight[i] = mix->weight[i];
        any = true;
    }
    if (!any)
        held.weight[holder] = 1;
    return held;
}

_Static_assert((int)BEHAVIOUR_ROWS_MAX < (int)PAGE_BEHAVIOURS,
               "the page has room for every row and for failed");

static const char *why_unable(enum behaviour behaviour, bool foreign)
{
    const struct recipe *recipe = recipe_of(behaviour);
    const char *why = behaviour_unfit(behaviour, foreign);
    return why || !recipe->unable ? why : recipe->unable();
}

static void leave_out_unable(struct choice *c, bool foreign)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        const char *why = c->mix.weight[i] ? why_unable((enum behaviour)i, foreign) : NULL;
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

int choice_make(const uint64_t *weight, bool foreign, struct choice *ret, struct err *e)
{
    struct choice c = {.holder = BEHAVIOUR_CLEAN};
    memcpy(c.mix.weight, weight, sizeof c.mix.weight);
    leave_out_unable(&c, foreign);
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
    if (operation != OPERATE_NONE) {
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
