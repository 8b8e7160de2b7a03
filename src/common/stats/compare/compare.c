/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include "base/check.h"
#include "compare_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
ENUM_FROM_NAME(compare_side, COMPARE_SIDE_LIST)
ENUM_NAMES(compare_change, COMPARE_CHANGE_LIST)
ENUM_NAMES(compare_outcome, COMPARE_OUTCOME_LIST)
ENUM_TEXTS(compare_outcome, COMPARE_OUTCOME_LIST)
ENUM_COLUMN(compare_outcome_exit_code, int, compare_outcome, COMPARE_OUTCOME_LIST, OUTCOME_EXIT)

struct judging {
    const struct compare_input *input;
    uint64_t rules;
};

ENUM_SPELLINGS(compare_rule, COMPARE_RULE_LIST)

static bool rule(const struct judging *j, enum compare_rule r)
{
    return j->rules >> r & 1;
}

static enum compare_outcome graver(enum compare_outcome a, enum compare_outcome b)
{
    return a > b ? a : b;
}

/* ---- ratios ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median; NAN of none. Sorts `value` in place. */
static double compare_median(double *value, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(value, count, sizeof *value, by_value);
    return (value[(count - 1) / 2] + value[count / 2]) / 2;
}

/* That the median lies between the k-th smallest and the k-th largest of n: each of n values is
 * below it with a half, so David and Nagaraja, Order Statistics, section 7.1. */
static double level_of(size_t n, size_t k)
{
    double sum = 0, term = 1; /* C(n, 0) */
    for (size_t i = 0; i < k; i++) {
        sum += term;
        term *= (double)(n - i) / (double)(i + 1);
    }
    return 1 - 2 * sum * pow(0.5, (double)n);
}

struct compare_ratio compare_ratio_of(double *ratio, size_t count)
{
    struct compare_ratio r = {.pairs = count, .low = NAN, .high = NAN};
    CHECK(count <= COMPARE_RUNS);
    r.median = compare_median(ratio, count);
    if (count == 0)
        return r;
    size_t k = 1;
    while (level_of(count, k + 1) >= COMPARE_LEVEL) /* from the middle on it is less than 0 */
        k++;
    r.low = ratio[k - 1];
    r.high = ratio[count - k];
    r.level = fmax(level_of(count, k), 0);
    return r;
}

/* ---- verdicts ---- */

static bool decided(enum verdict v)
{
    return v == VERDICT_PASS || v == VERDICT_LEAK;
}

/* The first run with the worst verdict. */
static const struct compare_run *worst_run(const struct judging *j, const struct compare_version *v)
{
    const struct compare_run *worst = &v->run[0];
    for (size_t i = 1; i < v->runs && rule(j, COMPARE_RULE_WORST); i++)
        if (verdict_gravity(v->run[i].verdict) > verdict_gravity(worst->verdict))
            worst = &v->run[i];
    return worst;
}

static void fill_verdict(const struct judging *j, const struct compare_version *v,
                         struct compare_column *c)
{
    c->runs = v->runs;
    if (v->runs == 0)
        return;
    const struct compare_run *worst = worst_run(j, v);
    c->verdict = worst->verdict;
    c->kind = worst->kind;
    if (worst->places) {
        c->file = worst->place[0].file;
        c->line = worst->place[0].line;
    }
    c->sensitivity = v->run[0].sensitivity;
    for (size_t i = 1; i < v->runs; i++)
        c->sensitivity = fmin(c->sensitivity, v->run[i].sensitivity);
}

static void judge_verdict(const struct judging *j, const struct compare_column *first,
                          size_t column, struct compare_column *c)
{
    const struct compare_version *version = j->input->version;
    bool leaked = first->verdict == VERDICT_LEAK, leaks = c->verdict == VERDICT_LEAK;
    c->verdict_change = COMPARE_CHANGE_EQUAL;
    if (first->runs == 0 || c->runs == 0) {
        c->verdict_change = COMPARE_CHANGE_MISSING;
        c->verdict_outcome = COMPARE_UNSURE;
    } else if (rule(j, COMPARE_RULE_UNDECIDED) &&
               (!decided(first->verdict) || !decided(c->verdict))) {
        c->verdict_change = COMPARE_CHANGE_UNSURE;
        c->verdict_outcome = COMPARE_UNSURE;
    } else if (rule(j, COMPARE_RULE_TURNED) && leaked != leaks) {
        c->verdict_change = leaks ? COMPARE_CHANGE_MORE : COMPARE_CHANGE_LESS;
        c->verdict_outcome = leaks ? COMPARE_WORSE : COMPARE_BETTER;
    } else if (rule(j, COMPARE_RULE_ANOTHER) && leaked && leaks) {
        c->another = compare_another_leak(&version[0], &version[column]);
    }
    if (c->another) {
        c->verdict_change = COMPARE_CHANGE_MORE;
        c->verdict_outcome = COMPARE_WORSE;
    }
}

/* ---- a row of one version ---- */

/* The row's figures; those of growth only from runs with the version's verdict. Returns how many.
 */
static size_t gather(const struct compare_version *v, const struct compare_column *c,
                     enum compare_row row, double *value)
{
    bool growth = compare_row_info(row)->role == COMPARE_VERDICT;
    size_t count = 0;
    for (size_t i = 0; i < v->runs; i++)
        if (!isnan(v->run[i].row[row]) && (!growth || v->run[i].verdict == c->verdict))
            value[count++] = v->run[i].row[row];
    return count;
}

static bool is_exact(const struct judging *j, const struct compare_version *v, enum compare_row row,
                     const double *sorted, size_t count)
{
    if (!compare_row_exact(row) || count == 0)
        return false;
    bool exact = sorted[0] == sorted[count - 1];
    for (size_t i = 0; i < v->runs; i++)
        exact = exact && (isnan(v->run[i].row[row]) || !v->run[i].inexact[row]);
    return exact || !rule(j, COMPARE_RULE_INEXACT);
}

static void fill_cell(const struct judging *j, const struct compare_version *v,
                      struct compare_column *c, enum compare_row row)
{
    double value[COMPARE_RUNS];
    size_t count = gather(v, c, row, value);
    c->cell[row] = (struct compare_cell){.value = compare_median(value, count)};
    c->cell[row].exact = is_exact(j, v, row, value, count);
}

/* ---- a row beside the first version's ---- */

/* Decides by a share of the first's figure; `sure` says that the figures can be relied on. */
static void decide(struct compare_cell *c, double first, double tolerance, bool sure)
{
    double share = first != 0 ? (c->value - first) / fabs(first) : INFINITY;
    bool beyond = fabs(share) > tolerance;
    c->change = c->value > first ? COMPARE_CHANGE_MORE : COMPARE_CHANGE_LESS;
    if (c->value == first)
        c->change = sure ? COMPARE_CHANGE_EQUAL : COMPARE_CHANGE_SAME;
    else if (!sure)
        c->change = beyond ? COMPARE_CHANGE_UNSURE : COMPARE_CHANGE_SAME;
    if (c->value != first && beyond)
        c->outcome = !sure ? COMPARE_UNSURE : c->value > first ? COMPARE_WORSE : COMPARE_BETTER;
}

/* Returns whether both have the row; if one of them lacks it, nobody can tell. */
static bool both_have(const struct judging *j, const struct compare_cell *first,
                      struct compare_cell *c)
{
    if (isnan(first->value) != isnan(c->value)) {
        c->change = COMPARE_CHANGE_MISSING;
        c->outcome = rule(j, COMPARE_RULE_MISSING) ? COMPARE_UNSURE : COMPARE_SAME;
    }
    return !isnan(first->value) && !isnan(c->value);
}

static double tolerance_of(const struct judging *j)
{
    return rule(j, COMPARE_RULE_TOLERANCE) ? j->input->tolerance : INFINITY;
}

static void judge_exact(const struct judging *j, const struct compare_cell *first,
                        struct compare_cell *c)
{
    if (both_have(j, first, c))
        decide(c, first->value, tolerance_of(j), first->exact && c->exact);
}

/* Of a row that some run says. */
static void extremes(const struct compare_version *v, const struct compare_column *c,
                     enum compare_row row, double *ret_least, double *ret_most)
{
    double value[COMPARE_RUNS];
    size_t count = gather(v, c, row, value);
    compare_median(value, count); /* sorts */
    *ret_least = value[0];
    *ret_most = value[count - 1];
}

/* What a leak loses per connection follows the mix that a run happened to have: it differs only if
 * no run of one version comes near any of the other's. */
static void judge_growth(const struct judging *j, size_t column, enum compare_row row,
                         struct compare_judgement *ret)
{
    struct compare_column *first = &ret->column[0], *c = &ret->column[column];
    struct compare_cell *cell = &c->cell[row];
    double least, most, first_least, first_most;
    double first_value = first->cell[row].value;
    if (isnan(first_value) || isnan(cell->value))
        return;
    extremes(&j->input->version[0], first, row, &first_least, &first_most);
    extremes(&j->input->version[column], c, row, &least, &most);
    double margin = 1 + j->input->tolerance;
    bool more = least > first_most * margin, less = most * margin < first_least;
    cell->change = more                         ? COMPARE_CHANGE_MORE
                   : less                       ? COMPARE_CHANGE_LESS
                   : cell->value == first_value ? COMPARE_CHANGE_EQUAL
                                                : COMPARE_CHANGE_SAME;
    bool both_leak = first->verdict == VERDICT_LEAK && c->verdict == VERDICT_LEAK;
    if (rule(j, COMPARE_RULE_GROWTH) && both_leak && (more || less))
        cell->outcome = more ? COMPARE_WORSE : COMPARE_BETTER;
}

/* Ratios of the runs of the same round. Returns how many. */
static size_t ratios(const struct compare_version *a, const struct compare_version *b,
                     enum compare_row row, double *ratio)
{
    size_t count = 0;
    for (size_t i = 0; i < a->runs; i++)
        for (size_t k = 0; k < b->runs && count < COMPARE_RUNS; k++)
            if (a->run[i].round == b->run[k].round && a->run[i].row[row] > 0 &&
                b->run[k].row[row] > 0)
                ratio[count++] = b->run[k].row[row] / a->run[i].row[row];
    return count;
}

static void judge_measured(const struct judging *j, size_t column, enum compare_row row,
                           struct compare_judgement *ret)
{
    double ratio[COMPARE_RUNS];
    struct compare_cell *c = &ret->column[column].cell[row];
    if (!both_have(j, &ret->column[0].cell[row], c))
        return;
    size_t count = ratios(&j->input->version[0], &j->input->version[column], row, ratio);
    const struct compare_ratio r = c->ratio = compare_ratio_of(ratio, count);
    const double high = 1 + COMPARE_CPU_MARGIN, low = 1 / high;
    bool margin = rule(j, COMPARE_RULE_MARGIN);
    c->change = COMPARE_CHANGE_UNSURE;
    if (r.pairs == 0 || (rule(j, COMPARE_RULE_PAIRS) && r.level < COMPARE_LEVEL))
        return;
    if (margin ? r.low > high : r.median > 1) {
        c->change = COMPARE_CHANGE_MORE;
        c->outcome = COMPARE_WORSE;
    } else if (margin ? r.high < low : r.median < 1) {
        c->change = COMPARE_CHANGE_LESS;
        c->outcome = COMPARE_BETTER;
    } else if (r.low >= low && r.high <= high) {
        c->change = COMPARE_CHANGE_SAME;
    }
}

static void judge_row(const struct judging *j, size_t column, enum compare_row row,
                      struct compare_judgement *ret)
{
    const struct compare_cell *first = &ret->column[0].cell[row];
    struct compare_cell *c = &ret->column[column].cell[row];
    switch (compare_row_info(row)->role) {
    case COMPARE_VERDICT:
        judge_growth(j, column, row, ret);
        break;
    case COMPARE_EXACT:
        judge_exact(j, first, c);
        break;
    case COMPARE_COUNTED:
        judge_exact(j, first, c);
        if (rule(j, COMPARE_RULE_COUNTED) && c->outcome == COMPARE_UNSURE)
            c->outcome = COMPARE_SAME;
        break;
    case COMPARE_MEASURED:
        judge_measured(j, column, row, ret);
        break;
    case COMPARE_WITNESS:
        if (!rule(j, COMPARE_RULE_WITNESS))
            decide(c, first->value, j->input->tolerance, true);
        break;
    }
    if (rule(j, COMPARE_RULE_SIDE) && !compare_row_counts(row, j->input->side))
        c->outcome = COMPARE_SAME;
}

/* A LEAK has no end and a level is paid once: a row doesn't outweigh that a LEAK is gone. */
static enum compare_outcome weighed(const struct judging *j, const struct compare_column *c,
                                    enum compare_outcome of_row)
{
    bool mended = c->verdict_outcome == COMPARE_BETTER && rule(j, COMPARE_RULE_MENDED);
    return mended && of_row == COMPARE_WORSE ? COMPARE_MIXED : of_row;
}

static enum compare_outcome sum_up(const struct judging *j, const struct compare_judgement *ret,
                                   size_t column)
{
    const struct compare_column *c = &ret->column[column];
    enum compare_outcome outcome = c->verdict_outcome;
    bool untold = isnan(c->cell[COMPARE_ALLOCS].value) && c->runs > 0;
    if (rule(j, COMPARE_RULE_FOOTPRINT) && j->input->footprint && untold)
        outcome = graver(outcome, COMPARE_UNSURE);
    for (int row = 0; row < COMPARE_ROWS; row++)
        if (rule(j, COMPARE_RULE_GRAVEST) || outcome == COMPARE_SAME)
            outcome = graver(outcome, weighed(j, c, c->cell[row].outcome));
    return outcome;
}

void compare_judge_with_rules(const struct compare_input *input, uint64_t rules,
                              struct compare_judgement *ret)
{
    const struct judging j = {.input = input, .rules = rules};
    CHECK(input->versions >= 1 && input->versions <= COMPARE_VERSIONS);
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < input->versions; i++) {
        struct compare_column *c = &ret->column[i];
        CHECK(input->version[i].runs <= COMPARE_RUNS);
        fill_verdict(&j, &input->version[i], c);
        for (int row = 0; row < COMPARE_ROWS; row++)
            fill_cell(&j, &input->version[i], c, (enum compare_row)row);
        if (i == 0)
            continue;
        judge_verdict(&j, &ret->column[0], i, c);
        for (int row = 0; row < COMPARE_ROWS; row++)
            judge_row(&j, i, (enum compare_row)row, ret);
        c->outcome = sum_up(&j, ret, i);
        ret->outcome = graver(ret->outcome, c->outcome);
    }
}

void compare_judge(const struct compare_input *input, struct compare_judgement *ret)
{
    compare_judge_with_rules(input, COMPARE_RULES_ALL, ret);
}

/* ---- the search for a version ---- */

struct bisect bisect_of(size_t versions)
{
    CHECK(versions >= 2);
    return (struct bisect){.low = 0, .high = versions - 1};
}

bool bisect_next(const struct bisect *b, size_t *ret)
{
    if (b->high - b->low < 2)
        return false;
    *ret = b->low + (b->high - b->low) / 2;
    return true;
}

void bisect_take(struct bisect *b, size_t version, bool like_last)
{
    CHECK(version > b->low && version < b->high);
    if (like_last)
        b->high = version;
    else
        b->low = version;
}

size_t bisect_most(size_t versions)
{
    size_t most = 2;
    for (size_t gap = versions - 1; gap > 1; gap -= gap / 2)
        most++;
    return most;
}

bool bisect_differs(double first, double last, double tolerance)
{
    return fabs(last - first) > tolerance * fabs(first);
}

bool bisect_like_last(double value, double first, double last)
{
    return fabs(value - last) < fabs(value - first);
}
