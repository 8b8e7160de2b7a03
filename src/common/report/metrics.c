#include "report/parts.h"

#include "base/grammar.h"
#include "report/figures.h"
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME, START, END, GROWTH, LIMIT, STATE, ROLE };

static const char *label(const char *id, char *buf, size_t size)
{
    static const struct {
        const char *id, *label;
    } labels[] = {{"ssl_objects", "SSL objects"},         {"openssl_blocks", "OpenSSL blocks"},
                  {"openssl_bytes", "OpenSSL bytes"},     {"open_files", "open files"},
                  {"heap_allocated", "jemalloc"},         {"heap_active", "jemalloc active"},
                  {"heap_resident", "jemalloc resident"}, {"rss", "RSS"},
                  {"rss_anon", "RSS, anonymous"}};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(id, labels[i].id) == 0)
            return labels[i].label;
    snprintf(buf, size, "%s", id);
    for (char *p = buf; *p; p++)
        *p = *p == '_' ? ' ' : *p;
    return buf;
}

static void exact_growth(char *buf, size_t size, const struct judge_metric *m)
{
    bool bytes = figure_is_bytes(m->unit);
    if (m->per_conn == 0)
        snprintf(buf, size, "%s", bytes ? "0 B" : "0");
    else if (bytes)
        figure_bytes(buf, size, m->per_conn);
    else
        figure_count(buf, size, m->per_conn);
}

static void growth(char *buf, size_t size, const struct judge_metric *m)
{
    char slope[FIGURE_SIZE], half[FIGURE_SIZE];
    bool bytes = figure_is_bytes(m->unit);
    if (!isfinite(m->per_conn) || !isfinite(m->half_width)) {
        snprintf(buf, size, "too few points");
    } else if (m->half_width == 0) {
        exact_growth(buf, size, m);
    } else {
        figure_grouped(slope, sizeof slope, m->per_conn, bytes ? 2 : 4);
        figure_grouped(half, sizeof half, m->half_width, bytes ? 2 : 4);
        snprintf(buf, size, "%s%.24s ±%.24s%s", m->per_conn >= 0 ? "+" : "", slope, half,
                 bytes ? " B" : "");
    }
}

static void limit(char *buf, size_t size, const struct judge_metric *m)
{
    if (!isfinite(m->limit))
        snprintf(buf, size, "none");
    else if (m->limit == 0)
        snprintf(buf, size, "0");
    else if (figure_is_bytes(m->unit))
        human_bytes(buf, size, m->limit);
    else
        snprintf(buf, size, "%g", m->limit);
}

static const struct {
    const char *word;
    enum ink ink;
} states[] = {[METRIC_LEVEL] = {"level", INK_GOOD},
              [METRIC_GROWS] = {"GROWS", INK_BAD},
              [METRIC_UNSURE] = {"unsure", INK_DOUBT},
              [METRIC_EXPLAINED] = {"explained", INK_NONE},
              [METRIC_NOT_JUDGED] = {"not judged", INK_DIM}};

static void metric_row(struct table *t, const struct screen *s, const struct judge_metric *m)
{
    char raw[TABLE_CELL];
    int r = t->rows++;
    screen_clean(s, t->cell[r][NAME], TABLE_CELL, label(m->id, raw, sizeof raw));
    screen_clean(s, t->cell[r][START], TABLE_CELL,
                 figure_level(raw, sizeof raw, m->start, m->unit));
    screen_clean(s, t->cell[r][END], TABLE_CELL, figure_level(raw, sizeof raw, m->end, m->unit));
    growth(raw, sizeof raw, m);
    screen_clean(s, t->cell[r][GROWTH], TABLE_CELL, raw);
    limit(raw, sizeof raw, m);
    screen_clean(s, t->cell[r][LIMIT], TABLE_CELL, raw);
    screen_clean(s, t->cell[r][STATE], TABLE_CELL, states[m->state].word);
    t->ink[r][STATE] = states[m->state].ink;
    if (m->role && strcmp(m->role, "witness") == 0)
        screen_clean(s, t->cell[r][ROLE], TABLE_CELL, m->role);
}

void parts_metrics(const struct result_subject *subject, const struct screen *s)
{
    const struct table_column columns[] = {
        [NAME] = {.title = subject->name},
        [START] = {.title = "start", .right = true, .drop = 2},
        [END] = {.title = "end", .right = true, .drop = 1},
        [GROWTH] = {.title = subject->judgement.by_operation ? "per operation" : "per connection",
                    .right = true},
        [LIMIT] = {.title = "limit", .right = true, .drop = 3},
        [STATE] = {.title = ""},
        [ROLE] = {.title = "", .drop = 4},
    };
    struct table table = {.column = columns, .columns = sizeof columns / sizeof *columns};
    for (size_t i = 0; i < subject->judgement.metrics && i < TABLE_ROWS; i++)
        metric_row(&table, s, &subject->judgement.metric[i]);
    if (table.rows)
        table_print(&table, s);
}

void parts_summary(const struct result_subject *subject, const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    size_t quiet = 0;
    for (size_t i = 0; i < j->metrics; i++)
        quiet += j->metric[i].state == METRIC_LEVEL;
    struct screen_lead lead = {.indent = 2, .column = 10, .word = subject->name, .ink = INK_BOLD};
    screen_wrap(s, &lead, "%s  nothing grows (%zu of %zu metrics level)", verdict_word(j->verdict),
                quiet, j->metrics);
}
