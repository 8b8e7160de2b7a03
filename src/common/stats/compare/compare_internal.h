/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deciding rules of a comparison by name. Private to it and its tests: a test switches one rule
 * off and sees that a control then fails. docs/decision.md states each.
 */
#ifndef SOAK_STATS_COMPARE_INTERNAL_H
#define SOAK_STATS_COMPARE_INTERNAL_H

#include "base/names.h"
#include "compare.h"
#include "compare_sites.h"

#define COMPARE_RULE_LIST(X)                                                                       \
    X(COMPARE_RULE_WORST)     /* a version's verdict is the worst of its runs */                   \
    X(COMPARE_RULE_UNDECIDED) /* INCONCLUSIVE and INVALID can't be compared */                     \
    X(COMPARE_RULE_TURNED)    /* a LEAK that comes or goes decides */                              \
    X(COMPARE_RULE_ANOTHER)   /* a LEAK where the first has none is worse, LEAK or not */          \
    X(COMPARE_RULE_GROWTH)    /* a LEAK that grows by more, whatever the run, is worse */          \
    X(COMPARE_RULE_TOLERANCE) /* an exact row decides beyond the tolerance */                      \
    X(COMPARE_RULE_INEXACT)   /* a row that wasn't exact decides nothing */                        \
    X(COMPARE_RULE_COUNTED) /* objects that grow, or that a version can't count, decide nothing */ \
    X(COMPARE_RULE_MISSING) /* a row that one of both lacks */                                     \
    X(COMPARE_RULE_FOOTPRINT) /* exact rows that were asked for and nobody has */                  \
    X(COMPARE_RULE_SIDE)      /* a figure of the other program is told and decides nothing */      \
    X(COMPARE_RULE_PAIRS)     /* too few pairs decide nothing */                                   \
    X(COMPARE_RULE_MARGIN) /* measured rows decide beyond the margin, with their whole interval */ \
    X(COMPARE_RULE_WITNESS)   /* witnesses never decide */                                         \
    X(COMPARE_RULE_GRAVEST)   /* worse beats can't tell, that beats better */                      \
    X(COMPARE_RULE_MENDED)    /* beside a LEAK that is gone, a row that is worse makes it mixed */ \
    X(COMPARE_RULE_FUNCTIONS) /* sites are aligned by function, whatever their line */             \
    X(COMPARE_RULE_UNNAMED)   /* a file with an unknown function is one group */                   \
    X(COMPARE_RULE_ORDER)     /* in a group, lines are paired in their order */                    \
    X(COMPARE_RULE_ENOUGH)    /* the largest groups, until most of the difference is explained */

enum compare_rule { COMPARE_RULE_LIST(ENUM_ID) COMPARE_RULES };

#define COMPARE_RULES_ALL ((UINT64_C(1) << COMPARE_RULES) - 1)

/* compare_judge and compare_explain with only the rules in `rules` (bits by enum compare_rule). */
void compare_judge_with_rules(const struct compare_input *input, uint64_t rules,
                              struct compare_judgement *ret);
void compare_explain_with_rules(const struct compare_sites *before,
                                const struct compare_sites *after, enum compare_measure measure,
                                uint64_t rules, struct compare_explanation *ret);
const char *compare_rule_name(enum compare_rule rule);

#endif
