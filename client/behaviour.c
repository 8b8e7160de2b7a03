#include "behaviour.h"

#include <stdlib.h>

static const uint64_t WEIGHT_MAX = UINT64_C(1) << 40;

const char *behaviour_name(enum behaviour behaviour)
{
    return behaviour < BEHAVIOUR_COUNT ? behaviour_entry(behaviour)->name : "failed";
}

int behaviour_mix_parse(const char *text, struct behaviour_mix *ret)
{
    struct behaviour_mix mix;
    uint64_t total = 0;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        char *end;
        if (*text < '0' || *text > '9')
            return -1;
        mix.weight[i] = strtoull(text, &end, 10);
        if (mix.weight[i] > WEIGHT_MAX || *end != (i + 1 < BEHAVIOUR_COUNT ? ',' : '\0'))
            return -1;
        total += mix.weight[i];
        text = end + 1;
    }
    if (total == 0)
        return -1;
    *ret = mix;
    return 0;
}

enum behaviour behaviour_draw(const struct behaviour_mix *mix, struct rng *rng, bool must_establish)
{
    int count = must_establish ? BEHAVIOUR_MID_HANDSHAKE : BEHAVIOUR_COUNT;
    uint64_t total = 0;
    for (int i = 0; i < count; i++)
        total += mix->weight[i];
    if (total == 0)
        return BEHAVIOUR_CLEAN;
    uint64_t pick = rng_below(rng, total);
    int choice = 0;
    while (pick >= mix->weight[choice])
        pick -= mix->weight[choice++];
    return (enum behaviour)choice;
}
