/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "base/check.h"

const struct recipe *recipe_of(enum behaviour behaviour)
{
    static const struct recipe *const table[BEHAVIOUR_FAMILIES] = {
        [BEHAVIOUR_LEAVE] = recipes_leave,       [BEHAVIOUR_RESUME] = recipes_resume,
        [BEHAVIOUR_STARTTLS] = recipes_starttls, [BEHAVIOUR_HOSTILE] = recipes_hostile,
        [BEHAVIOUR_FEATURE] = recipes_feature,   [BEHAVIOUR_RESOURCE] = recipes_stall,
    };
    const struct recipe *family = table[behaviour_entry(behaviour)->family];
    CHECK(family);
    return &family[behaviour];
}

bool recipe_needs_sessions(const struct behaviour_mix *mix)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (mix->weight[i] > 0 && behaviour_entry((enum behaviour)i)->family == BEHAVIOUR_RESUME)
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
