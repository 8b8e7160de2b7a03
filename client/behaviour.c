/* SPDX-License-Identifier: Apache-2.0 */
#include "behaviour.h"

#include <stdlib.h>

static const uint64_t WEIGHT_MAX = UINT64_C(1) << 40;

const char *behaviour_name(int behaviour)
{
    return behaviour < BEHAVIOUR_COUNT ? behaviour_entry((enum behaviour)behaviour)->name
                                       : "failed";
}

int behaviour_rows_make(const struct behaviour_mix *mix, enum behaviour also,
                        struct behaviour_rows *ret)
{
    struct behaviour_rows rows = {0};
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (mix->weight[i] == 0 && i != (int)also)
            continue;
        if (rows.count == BEHAVIOUR_ROWS_MAX)
            return -1;
        rows.of[rows.count++] = (enum behaviour)i;
    }
    for (int i = 0; i <= BEHAVIOUR_COUNT; i++)
        rows.row[i] = rows.count;
    for (size_t r = 0; r < rows.count; r++)
        rows.row[rows.of[r]] = r;
    *ret = rows;
    return 0;
}

int behaviour_mix_parse(const char *text, const struct behaviour_rows *rows,
                        struct behaviour_mix *ret)
{
    struct behaviour_mix mix = {{0}};
    uint64_t total = 0;
    for (size_t r = 0; r < rows->count; r++) {
        char *end;
        if (*text < '0' || *text > '9')
            return -1;
        uint64_t weight = strtoull(text, &end, 10);
        if (weight > WEIGHT_MAX || *end != (r + 1 < rows->count ? ',' : '\0'))
            return -1;
        mix.weight[rows->of[r]] = weight;
        total += weight;
        text = end + 1;
    }
    if (total == 0)
        return -1;
    *ret = mix;
    return 0;
}

enum behaviour behaviour_draw(const struct behaviour_mix *mix, struct rng *rng)
{
    uint64_t total = 0;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++)
        total += mix->weight[i];
    uint64_t pick = rng_below(rng, total);
    int choice = 0;
    while (pick >= mix->weight[choice])
        pick -= mix->weight[choice++];
    return (enum behaviour)choice;
}
