/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include "base/text.h"
#include "report/figures.h"
#include "report/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME, START, END, GROWTH, LIMIT, STATE, CLAUSE = 256 };

static const char few_points[] = "too few points"; /* the growth's place says so */

/* What the judge notes of each figure of a subject that it can't judge. */
static const char outside[] = "from outside";

static bool is_narrow(const struct screen *s)
{
    return s->columns < 60;
}

static const struct metric_info *info_of(const struct judge_metric *m)
{
    static const struct metric_info unknown = {.label = "?", .word = "?", .row = ROW_FOUND};
    enum metric metric;
    return metric_from_name(m->id, &metric) ? metric_info(metric) : &unknown;
}

static bool is_exact(const struct judge_metric *m)
{
    return m->role && strcmp(m->role, metric_role_name(ROLE_COUNT)) == 0;
}

static bool is_outside(const struct judge_metric *m)
{
    return m->state == METRIC_NOT_JUDGED && m->note && strcmp(m->note, outside) == 0;
}

bool parts_unseen(const struct judge_metric *m)
{
    return m && is_outside(m) && m->start == 0 && m->end == 0;
}

static void growth(char *buf, size_t size, const struct judge_metric *m)
{
    char all[FIGURE_SIZE];
    bool bytes = figure_is_bytes(m->unit);
    if (is_exact(m) && !isfinite(m->per_conn) && m->end != m->start)
        snprintf(buf, size, "%s%s in all", m->end > m->start ? "+" : "",
                 figure_level(all, sizeof all, m->end - m->start, m->unit));
    else if (is_exact(m) && !isfinite(m->per_conn))
        snprintf(buf, size, "-");
    else if (!isfinite(m->per_conn) || !isfinite(m->half_width))
        snprintf(buf, size, "%s", few_points);
    else
        figure_growth(buf, size, m->per_conn, m->half_width, bytes);
}

static void limit(char *buf, size_t size, const struct judge_metric *m)
{
    char plain[FIGURE_SIZE];
    if (is_exact(m) && !is_outside(m))
        snprintf(buf, size, "0");
    else if (is_outside(m) || !isfinite(m->decides))
        snprintf(buf, size, "-");
    else
        snprintf(buf, size, "%s B",
                 figure_grouped(plain, sizeof plain, m->decides, m->decides < 10 ? 1 : 0));
}

/* What a witness shows is noise, or nothing that it could convict on: that it isn't judged is all.
 */
static bool never_convicts(const struct judge_metric *m)
{
    return m->role && strcmp(m->role, metric_role_name(ROLE_WITNESS)) == 0 &&
           m->per_conn - m->half_width > m->limit;
}

/* An average isn't called exact. */
static const char *exactness(const struct judge_metric *m)
{
    if (!is_exact(m))
        return "";
    return m->per_conn == nearbyint(m->per_conn) ? ", exact" : ", on average";
}

static void state(char *buf, size_t size, const struct judge_metric *m, bool leaks, bool brief)
{
    bool told;
    switch (m->state) {
    case METRIC_LEVEL:
        told = !brief && m->note; /* of what it is */
        snprintf(buf, size, "level%s%s%s", brief ? "" : exactness(m), told ? ", " : "",
                 told ? m->note : "");
        return;
    case METRIC_GROWS:
        snprintf(buf, size, "GROWS%s", brief ? "" : exactness(m));
        return;
    case METRIC_UNSURE:
        snprintf(buf, size, "unsure");
        return;
    case METRIC_EXPLAINED:
        snprintf(buf, size, leaks && !is_exact(m) && !brief ? "by these blocks" : "explained");
        return;
    case METRIC_NOT_JUDGED:
        told = !brief && m->note && !is_outside(m) && strcmp(m->note, few_points) != 0 &&
               !never_convicts(m);
        snprintf(buf, size, "not judged%s%s", told ? ", " : "", told ? m->note : "");
        return;
    }
}

#define STATE_INK(id, name, verdict, gravity, ink) [id] = INK_##ink,
static const enum ink inks[METRIC_STATE_COUNT] = {METRIC_STATE_LIST(STATE_INK)};

static bool has_row(const struct judge_metric *m, bool leaks)
{
    enum metric_row row = info_of(m)->row;
    if (is_outside(m))
        return row != ROW_FOUND && !parts_unseen(m);
    if (row == ROW_FOUND)
        return m->state == METRIC_GROWS || m->state == METRIC_UNSURE;
    /* The pages that lost blocks lie in say no more than their bytes. */
    if (leaks && m->state == METRIC_EXPLAINED &&
        strcmp(m->id, metric_name(METRIC_HEAP_ACTIVE)) == 0)
        return false;
    bool silent = m->state == METRIC_NOT_JUDGED && is_exact(m) && m->start == m->end;
    return row == ROW_ALWAYS ? m->state != METRIC_LEVEL || !leaks
                             : m->state != METRIC_LEVEL && !silent;
}

/* A leak was convicted by what it is, blocks of one size or whole pages, and its limit is no news.
 */
static bool shows_limits(const struct judgement *j)
{
    return j->verdict == VERDICT_PASS || j->verdict == VERDICT_INCONCLUSIVE;
}

const char *parts_label(const struct result_subject *subject, const struct judge_metric *m)
{
    bool all = subject->counts_all;
    if (all && strcmp(m->id, metric_name(METRIC_OPENSSL_BLOCKS)) == 0)
        return "blocks, all";
    if (all && strcmp(m->id, metric_name(METRIC_OPENSSL_BYTES)) == 0)
        return "bytes, all";
    return info_of(m)->label;
}

static void metric_row(struct table *t, const struct screen *s,
                       const struct result_subject *subject, const struct judge_metric *m)
{
    const struct judgement *j = &subject->judgement;
    char raw[TABLE_CELL];
    int r = t->rows++;
    screen_clean(s, t->cell[r][NAME], TABLE_CELL,
                 is_narrow(s) ? info_of(m)->word : parts_label(subject, m));
    screen_clean(s, t->cell[r][START], TABLE_CELL,
                 figure_level(raw, sizeof raw, m->start, m->unit));
    screen_clean(s, t->cell[r][END], TABLE_CELL, figure_level(raw, sizeof raw, m->end, m->unit));
    growth(raw, sizeof raw, m);
    screen_clean(s, t->cell[r][GROWTH], TABLE_CELL, raw);
    limit(raw, sizeof raw, m);
    if (shows_limits(j))
        screen_clean(s, t->cell[r][LIMIT], TABLE_CELL, raw);
    /* Of an INVALID run the headline says why none is judged. */
    bool brief = is_narrow(s) || j->verdict == VERDICT_INVALID;
    state(raw, sizeof raw, m, j->verdict == VERDICT_LEAK, brief);
    screen_clean(s, t->cell[r][STATE], TABLE_CELL, raw);
    t->ink[r][STATE] = inks[m->state];
}

static void add_rows(struct table *t, const struct screen *s, const struct result_subject *subject,
                     enum metric_row row)
{
    const struct judgement *j = &subject->judgement;
    for (int metric = METRIC_NONE + 1; metric < METRICS; metric++) {
        const struct judge_metric *m = judgement_metric(j, (enum metric)metric);
        if (m && info_of(m)->row == row && has_row(m, j->verdict == VERDICT_LEAK) &&
            t->rows < TABLE_ROWS)
            metric_row(t, s, subject, m);
    }
}

void parts_metrics(const struct result_subject *subject, const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    char name[TABLE_CELL], growth[TABLE_CELL];
    snprintf(growth, sizeof growth, "per %s", judgement_unit(j));
    const struct table_column columns[] = {
        [NAME] = {.title = screen_clean(s, name, sizeof name, subject->name)},
        [START] = {.title = "start", .right = true, .drop = 3},
        [END] = {.title = "end", .right = true, .drop = 1},
        [GROWTH] = {.title = growth},
        [LIMIT] = {.title = "limit", .drop = 2},
        [STATE] = {.title = ""},
    };
    struct table table = {
        .column = columns, .columns = sizeof columns / sizeof *columns, .flexible = STATE};
    for (int row = ROW_ALWAYS; row <= ROW_FOUND; row++)
        add_rows(&table, s, subject, (enum metric_row)row);
    if (table.rows)
        table_print(&table, s);
}

bool parts_all_level(const struct result_subject *subject, size_t *ret_level)
{
    const struct judgement *j = &subject->judgement;
    size_t level = 0, other = 0;
    for (size_t i = 0; i < j->metrics; i++) {
        level += j->metric[i].state == METRIC_LEVEL;
        other += j->metric[i].state != METRIC_LEVEL && j->metric[i].state != METRIC_NOT_JUDGED;
    }
    *ret_level = level;
    return other == 0;
}

bool parts_outside(const struct result_subject *subject, size_t *ret_rows)
{
    const struct judgement *j = &subject->judgement;
    size_t rows = 0;
    bool all = j->metrics > 0;
    for (size_t i = 0; i < j->metrics; i++) {
        all = all && is_outside(&j->metric[i]);
        rows += has_row(&j->metric[i], false);
    }
    *ret_rows = all ? rows : 0;
    return all;
}

/* ` SSL 30, files 44`, of metrics without a row. Returns how many there are. */
static size_t add_level(struct text *t, const struct judgement *j, enum metric_row row)
{
    bool leaks = j->verdict == VERDICT_LEAK;
    size_t count = 0;
    char level[FIGURE_SIZE];
    for (int metric = METRIC_NONE + 1; metric < METRICS; metric++) {
        const struct judge_metric *m = judgement_metric(j, (enum metric)metric);
        if (!m || info_of(m)->row != row || m->state != METRIC_LEVEL || has_row(m, leaks))
            continue;
        text_item(t, "%s %s", info_of(m)->word, figure_level(level, sizeof level, m->end, m->unit));
        count++;
    }
    return count;
}

/* `SSL 30, files 44: level`; where something leaks only how many are. */
static void say_level(char *buf, size_t size, const struct judgement *j)
{
    bool leaks = j->verdict == VERDICT_LEAK;
    struct text t = text_list(buf, size, ", ");
    size_t count = 0;
    for (int row = ROW_ALWAYS; row <= (leaks ? ROW_FOUND : ROW_MOVED); row++)
        count += add_level(&t, j, (enum metric_row)row);
    if (leaks && count)
        snprintf(buf, size, "%zu other%s: level", count, count == 1 ? "" : "s");
    else if (count)
        text_add(&t, ": level");
}

void parts_level(const struct result_subject *subject, const struct result_subject *other,
                 const struct screen *s)
{
    char own[CLAUSE], second[CLAUSE] = "";
    size_t level;
    struct screen_lead lead = {.indent = 2, .column = 2, .word = ""};
    say_level(own, sizeof own, &subject->judgement);
    if (other && parts_all_level(other, &level))
        snprintf(second, sizeof second, "%s: level in all %zu judged", other->name, level);
    else if (other)
        snprintf(second, sizeof second, "%s: %zu level, the others explained", other->name, level);
    int width = 2 + screen_width(own) + 6 + screen_width(second);
    if (own[0] && second[0] && width > s->columns) {
        screen_wrap(s, &lead, "%s", own);
        screen_wrap(s, &lead, "%s", second);
    } else if (own[0] || second[0]) {
        screen_wrap(s, &lead, "%s%s%s", own, own[0] && second[0] ? "      " : "", second);
    }
}
