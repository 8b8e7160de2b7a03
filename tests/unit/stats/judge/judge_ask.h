/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One site of sim_six asked by one rule, or by some: what is said of it. Header-only, for the unit
 * tests of the rules about a site alone.
 */
#ifndef SOAK_TESTS_JUDGE_ASK_H
#define SOAK_TESTS_JUDGE_ASK_H

#include "judge_sim.h"

enum { SITE = 1, FIRST = 2, MIDDLE = 4, NEWEST = 7, LAST = 8 };

struct said {
    bool found, wants_more, wants_hold;
    struct judge_finding f;
};

#define ONLY(rule) (UINT64_C(1) << (rule))

/* What the rules say of site 1; frees the run. */
static inline struct said ask(struct sim *s, uint64_t rules)
{
    struct said said = {0};
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), rules);
    said.found = site_judge(&h, SITE, &said.f);
    said.wants_more = h.wants_more;
    said.wants_hold = h.wants_hold;
    free(s);
    return said;
}

static inline struct sim *keeping(const int64_t kept[6])
{
    struct sim *s = sim_six(false);
    assert_int_equal(sim_six_site(s, kept), SITE);
    return s;
}

static inline struct said ask_of(const int64_t kept[6], uint64_t rules)
{
    return ask(keeping(kept), rules);
}

static inline void expect(const struct said *said, enum verdict verdict, enum kind kind)
{
    assert_true(said->found);
    assert_string_equal(verdict_name(said->f.verdict), verdict_name(verdict));
    assert_string_equal(kind_name(said->f.kind), kind_name(kind));
}

#endif
