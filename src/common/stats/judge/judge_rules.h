/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deciding rules by name. Private to the judge and its tests: a test switches one rule off and
 * sees that a control then fails, so that no rule stands without one. docs/decision.md states each.
 */
#ifndef SOAK_STATS_JUDGE_RULES_H
#define SOAK_STATS_JUDGE_RULES_H

#include "base/names.h"
#include "judge.h"

/* Rules about one site, in the order in which they are asked. X(IDENTIFIER, function) */
#define SITE_RULE_LIST(X)                                                                          \
    X(RULE_TABLE, table_judge)                                                                     \
    X(RULE_CACHE, site_cache)                                                                      \
    X(RULE_QUIET, site_quiet)                                                                      \
    X(RULE_REPLACED, site_replaced)                                                                \
    X(RULE_REPLACED_WITH, site_replaced_with)                                                      \
    X(RULE_SWAPPED, site_swapped)                                                                  \
    X(RULE_ONE_TIME, site_one_time)                                                                \
    X(RULE_BOUNDED, site_bounded)                                                                  \
    X(RULE_FEW, site_few)                                                                          \
    X(RULE_HALVES, site_halves)                                                                    \
    X(RULE_UNCONFIRMED, site_unconfirmed)                                                          \
    X(RULE_DECELERATING, site_decelerating)                                                        \
    X(RULE_LEAK, site_leak)

/* Rules that name the kind of a leak, refine a doubt, judge the gauges, or the run as a whole. */
#define OTHER_RULE_LIST(X)                                                                         \
    X(RULE_TABLE_WANDERS)                                                                          \
    X(RULE_TABLE_OF_CACHE)                                                                         \
    X(RULE_TABLE_OF_DESCRIPTORS)                                                                   \
    X(RULE_SHARED)                                                                                 \
    X(RULE_EMPTIED_OVER)                                                                           \
    X(RULE_RARE)                                                                                   \
    X(RULE_TIME)                                                                                   \
    X(RULE_UNTESTED)                                                                               \
    X(RULE_HELD)                                                                                   \
    X(RULE_DEFERRED)                                                                               \
    X(RULE_OBJECT)                                                                                 \
    X(RULE_HOLD_FIRST)                                                                             \
    X(RULE_PENDING)                                                                                \
    X(RULE_GAUGES)                                                                                 \
    X(RULE_OUTSIDE)                                                                                \
    X(RULE_SIZE_CLASS)                                                                             \
    X(RULE_LEDGER_FIRST)                                                                           \
    X(RULE_IN_USE_FIRST)                                                                           \
    X(RULE_FRAGMENTATION)                                                                          \
    X(RULE_UNPURGED)                                                                               \
    X(RULE_HEAP_FIRST)                                                                             \
    X(RULE_MAPPING)                                                                                \
    X(RULE_UNHOOKED)                                                                               \
    X(RULE_NO_HANDSHAKE)                                                                           \
    X(RULE_FAILED_MANY)                                                                            \
    X(RULE_FOREIGN_MANY)                                                                           \
    X(RULE_FAILED_SOME)                                                                            \
    X(RULE_OVERFLOWED)                                                                             \
    X(RULE_NO_FIGURE)                                                                              \
    X(RULE_INSENSITIVE)

#define RULE_LIST(X) SITE_RULE_LIST(X) OTHER_RULE_LIST(X)

enum judge_rule { RULE_LIST(ENUM_ID) RULE_COUNT };

#define RULES_ALL ((UINT64_C(1) << RULE_COUNT) - 1)

/* judge() with only the rules in `rules` (bits by enum judge_rule). */
void judge_with_rules(const struct evidence *evidence, uint64_t rules, struct judgement *ret);
const char *judge_rule_name(enum judge_rule rule);

#endif
