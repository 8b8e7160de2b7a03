/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deciding rules by name. Private to the judge and its tests: a test switches one rule off and
 * sees that a control then fails, so that no rule stands without one. docs/decision.md states each.
 */
#ifndef SOAK_STATS_JUDGE_RULES_H
#define SOAK_STATS_JUDGE_RULES_H

#include "judge.h"

/* Rules about one site, in the order in which they are asked. X(IDENTIFIER, function) */
#define SITE_RULE_LIST(X)                                                                          \
    X(TABLE, table_judge)                                                                          \
    X(CACHE, site_cache)                                                                           \
    X(QUIET, site_quiet)                                                                           \
    X(REPLACED, site_replaced)                                                                     \
    X(REPLACED_WITH, site_replaced_with)                                                           \
    X(SWAPPED, site_swapped)                                                                       \
    X(ONE_TIME, site_one_time)                                                                     \
    X(BOUNDED, site_bounded)                                                                       \
    X(FEW, site_few)                                                                               \
    X(HALVES, site_halves)                                                                         \
    X(UNCONFIRMED, site_unconfirmed)                                                               \
    X(DECELERATING, site_decelerating)                                                             \
    X(LEAK, site_leak)

/* Rules that name the kind of a leak, refine a doubt, judge the gauges, or the run as a whole. */
#define OTHER_RULE_LIST(X)                                                                         \
    X(TABLE_WANDERS)                                                                               \
    X(TABLE_OF_CACHE)                                                                              \
    X(TABLE_OF_DESCRIPTORS)                                                                        \
    X(SHARED)                                                                                      \
    X(EMPTIED_OVER)                                                                                \
    X(RARE)                                                                                        \
    X(TIME)                                                                                        \
    X(UNTESTED)                                                                                    \
    X(HELD)                                                                                        \
    X(DEFERRED)                                                                                    \
    X(OBJECT)                                                                                      \
    X(HOLD_FIRST)                                                                                  \
    X(PENDING)                                                                                     \
    X(GAUGES)                                                                                      \
    X(OUTSIDE)                                                                                     \
    X(SIZE_CLASS)                                                                                  \
    X(LEDGER_FIRST)                                                                                \
    X(IN_USE_FIRST)                                                                                \
    X(FRAGMENTATION)                                                                               \
    X(UNPURGED)                                                                                    \
    X(HEAP_FIRST)                                                                                  \
    X(MAPPING)                                                                                     \
    X(UNHOOKED)                                                                                    \
    X(NO_HANDSHAKE)                                                                                \
    X(FAILED_MANY)                                                                                 \
    X(FOREIGN_MANY)                                                                                \
    X(FAILED_SOME)                                                                                 \
    X(OVERFLOWED)                                                                                  \
    X(NO_FIGURE)                                                                                   \
    X(INSENSITIVE)

enum judge_rule {
#define X(id, ...) RULE_##id,
    SITE_RULE_LIST(X) OTHER_RULE_LIST(X)
#undef X
        RULE_COUNT
};

#define RULES_ALL ((UINT64_C(1) << RULE_COUNT) - 1)

/* judge() with only the rules in `rules` (bits by enum judge_rule). */
void judge_with_rules(const struct evidence *evidence, uint64_t rules, struct judgement *ret);
const char *judge_rule_name(enum judge_rule rule);

#endif
