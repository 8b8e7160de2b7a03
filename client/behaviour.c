#include "behaviour.h"

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
