/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a comparison, from the lists in compare.h. */
#include "compare_internal.h"

#include "base/check.h"

static const struct compare_row_info rows[] = {
#define X(id, key_, role_, unit_, side_, group_, title_)                                           \
    {.key = key_,                                                                                  \
     .group = group_,                                                                              \
     .title = title_,                                                                              \
     .side = COMPARE_SIDE_##side_,                                                                 \
     .role = COMPARE_##role_,                                                                      \
     .unit = COMPARE_##unit_},
    COMPARE_ROW_LIST(X)
#undef X
};

const struct compare_row_info *compare_row_info(enum compare_row row)
{
    CHECK((size_t)row < COMPARE_ROWS);
    return &rows[row];
}

const char *compare_role_word(enum compare_role role)
{
    static const char *const words[] = {[COMPARE_VERDICT] = "verdict",
                                        [COMPARE_EXACT] = "exact",
                                        [COMPARE_COUNTED] = "counted",
                                        [COMPARE_MEASURED] = "measured",
                                        [COMPARE_WITNESS] = "witness"};
    CHECK((size_t)role < sizeof words / sizeof *words);
    return words[role];
}

const char *compare_side_word(enum compare_side side)
{
    static const char *const words[] = {
#define X(id, word) word,
        COMPARE_SIDE_LIST(X)
#undef X
    };
    CHECK((size_t)side < sizeof words / sizeof *words);
    return words[side];
}

static const struct {
    const char *word, *text;
} measures[] = {
#define X(id, word, text) {word, text},
    COMPARE_MEASURE_LIST(X)
#undef X
};

const char *compare_measure_word(enum compare_measure measure)
{
    CHECK((size_t)measure < COMPARE_MEASURES);
    return measures[measure].word;
}

const char *compare_measure_text(enum compare_measure measure)
{
    CHECK((size_t)measure < COMPARE_MEASURES);
    return measures[measure].text;
}

bool compare_row_counts(enum compare_row row, enum compare_side judged)
{
    enum compare_side side = compare_row_info(row)->side;
    return side == COMPARE_SIDE_RUN || side == judged || judged == COMPARE_SIDE_BOTH;
}

bool compare_row_exact(enum compare_row row)
{
    enum compare_role role = compare_row_info(row)->role;
    return role == COMPARE_EXACT || role == COMPARE_COUNTED;
}

const char *compare_change_word(enum compare_change change)
{
    static const char *const words[] = {
#define X(id, word) word,
        COMPARE_CHANGE_LIST(X)
#undef X
    };
    CHECK((size_t)change < sizeof words / sizeof *words);
    return words[change];
}

static const struct {
    const char *word, *opening;
    int code;
} outcomes[] = {
#define X(id, word, opens, code) {word, opens, code},
    COMPARE_OUTCOME_LIST(X)
#undef X
};

const char *compare_outcome_word(enum compare_outcome outcome)
{
    CHECK((size_t)outcome < sizeof outcomes / sizeof *outcomes);
    return outcomes[outcome].word;
}

const char *compare_outcome_opening(enum compare_outcome outcome)
{
    CHECK((size_t)outcome < sizeof outcomes / sizeof *outcomes);
    return outcomes[outcome].opening;
}

int compare_outcome_exit_code(enum compare_outcome outcome)
{
    CHECK((size_t)outcome < sizeof outcomes / sizeof *outcomes);
    return outcomes[outcome].code;
}

const char *compare_rule_name(enum compare_rule rule)
{
    static const char *const names[] = {
#define X(id) #id,
        COMPARE_RULE_LIST(X)
#undef X
    };
    CHECK((size_t)rule < sizeof names / sizeof *names);
    return names[rule];
}
