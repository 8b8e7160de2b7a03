/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_names.h"

#define ROW(id, key_, role_, unit_, side_, group_, title_)                                         \
    [id] = {.key = key_,                                                                           \
            .group = group_,                                                                       \
            .title = title_,                                                                       \
            .side = COMPARE_SIDE_##side_,                                                          \
            .role = COMPARE_##role_,                                                               \
            .unit = COMPARE_##unit_},
#define OUTCOME_EXIT(id, name, text, code) [id] = code,

static const struct compare_row_info rows[COMPARE_ROWS] = {COMPARE_ROW_LIST(ROW)};

const struct compare_row_info *compare_row_info(enum compare_row row)
{
    CHECK((size_t)row < COMPARE_ROWS);
    return &rows[row];
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

ENUM_NAMES(compare_role, COMPARE_ROLE_LIST)
ENUM_NAMES(compare_unit, COMPARE_UNIT_LIST)
ENUM_NAMES(compare_side, COMPARE_SIDE_LIST)
ENUM_NAMES(compare_change, COMPARE_CHANGE_LIST)
ENUM_NAMES(compare_outcome, COMPARE_OUTCOME_LIST)
ENUM_TEXTS(compare_outcome, COMPARE_OUTCOME_LIST)
ENUM_COLUMN(compare_outcome_exit_code, int, compare_outcome, COMPARE_OUTCOME_LIST, OUTCOME_EXIT)
