/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sensitivity campaign without servers: a program made of figures is churned as the plan of a
 * run says, through the real judge, once clean and once with a block lost by chance at exactly the
 * rate that the clean run says would have shown. Pure; ten thousand take seconds.
 */
#ifndef SOAK_CAMPAIGN_SIMULATE_H
#define SOAK_CAMPAIGN_SIMULATE_H

#include "campaign.h"
#include "stats/judge/plan.h"

struct campaign_simulated {
    char row[CAMPAIGN_ROW];   /* of the table: what bounds the run */
    char line[CAMPAIGN_TEXT]; /* what of it and of its plan could be typed */
    char said[192];           /* the judge's first reason */
    uint64_t one_in;          /* the rate */
    enum campaign_outcome outcome;
};

/* Run `number` of a campaign, by its seed and that number alone. */
void campaign_simulate(uint64_t seed, uint64_t number, struct campaign_simulated *ret);
/* The same with the rate of the loss multiplied: what is lost much more rarely isn't found. */
void campaign_simulate_times(uint64_t seed, uint64_t number, double times,
                             struct campaign_simulated *ret);

#endif
