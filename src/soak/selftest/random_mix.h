/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mix of options and behaviours drawn by a seed, from the tables of both: what is added to
 * options.def or behaviours.def is drawn as well. Nothing but a clean server is drawn, and nothing
 * that bounds the run or says how it is judged. Pure.
 */
#ifndef SOAK_RANDOM_MIX_H
#define SOAK_RANDOM_MIX_H

#include "options/behaviours.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANDOM_MIX_WORDS = 40, RANDOM_MIX_TEXT = 4096 };

struct random_mix {
    size_t count;
    const char *words[RANDOM_MIX_WORDS + 1]; /* `--tls=1.2`, ...; NULL-ended; point into text */
    char text[RANDOM_MIX_TEXT];
};

/* The same seed draws the same mix. What a drawn behaviour needs is mostly drawn with it; what
 * can't go together is left for soak to refuse. */
void random_mix_draw(uint64_t seed, struct random_mix *ret);
/* Whether option i of scenario_options is among those that are drawn. */
bool random_mix_draws(size_t option);
bool random_mix_draws_behaviour(enum behaviour behaviour);

#endif
