/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deciding rules of a comparison by name. Private to it and its tests: a test switches one rule
 * off and sees that a control then fails. docs/decision.md states each.
 */
#ifndef SOAK_STATS_COMPARE_RULES_H
#define SOAK_STATS_COMPARE_RULES_H

#include "compare.h"
#include "compare_sites.h"

#define COMPARE_RULE_LIST(X)                                                                       \
    X(WORST)     /* a version's verdict is the worst of its runs */                                \
    X(UNDECIDED) /* INCONCLUSIVE and INVALID can't be compared */                                  \
    X(TURNED)    /* a LEAK that comes or goes decides */                                           \
    X(GROWTH)    /* a LEAK that grows by more, whatever the run, is worse */                       \
    X(TOLERANCE) /* an exact row decides beyond the tolerance */                                   \
    X(INEXACT)   /* a row that wasn't exact decides nothing */                                     \
    X(COUNTED)   /* objects that grow, or that a version can't count, decide nothing */            \
    X(MISSING)   /* a row that one of both lacks */                                                \
    X(FOOTPRINT) /* exact rows that were asked for and nobody has */                               \
    X(SIDE)      /* a figure of the other program is told and decides nothing */                   \
    X(PAIRS)     /* too few pairs decide nothing */                                                \
    X(MARGIN)    /* measured rows decide beyond the margin, with their whole interval */           \
    X(WITNESS)   /* witnesses never decide */                                                      \
    X(GRAVEST)   /* worse beats can't tell, that beats better */                                   \
    X(MENDED)    /* beside a LEAK that is gone, a row that is worse makes it mixed */              \
    X(FUNCTIONS) /* sites are aligned by function, whatever their line */                          \
    X(UNNAMED)   /* a file with an unknown function is one group */                                \
    X(ORDER)     /* in a group, lines are paired in their order */                                 \
    X(ENOUGH)    /* the largest groups, until most of the difference is explained */

enum compare_rule {
#define X(id) COMPARE_RULE_##id,
    COMPARE_RULE_LIST(X)
#undef X
        COMPARE_RULES
};

#define COMPARE_RULES_ALL ((UINT64_C(1) << COMPARE_RULES) - 1)

/* compare_judge and compare_explain with only the rules in `rules` (bits by enum compare_rule). */
void compare_judge_with_rules(const struct compare_input *input, uint64_t rules,
                              struct compare_judgement *ret);
void compare_explain_with_rules(const struct compare_sites *before,
                                const struct compare_sites *after, enum compare_measure measure,
                                uint64_t rules, struct compare_explanation *ret);
const char *compare_rule_name(enum compare_rule rule);

#endif
