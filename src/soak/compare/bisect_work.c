/* SPDX-License-Identifier: Apache-2.0 */
#include "bisect_work.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "cmdline.h"
#include "compare_say.h"
#include "compare_set.h"
#include "compare_text.h"
#include "report/json_util.h"
#include "stats/compare/compare.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLE_COLUMN = 13 };

ENUM_NAMES(bisect_end, BISECT_END_LIST)
ENUM_FROM_NAME(bisect_end, BISECT_END_LIST)

const char *bisect_metric_name(int metric)
{
    return metric == BISECT_VERDICT ? "verdict" : compare_row_info((enum compare_row)metric)->key;
}

int bisect_metric(const char *name, int *ret, struct err *e)
{
    const char *names[COMPARE_ROWS + 1] = {"verdict"};
    int metric[COMPARE_ROWS + 1] = {BISECT_VERDICT};
    size_t count = 1;
    for (int row = 0; row < COMPARE_ROWS; row++) {
        const struct compare_row_info *info = compare_row_info((enum compare_row)row);
        if (!compare_row_exact((enum compare_row)row))
            continue;
        metric[count] = row;
        names[count++] = info->key;
    }
    for (size_t i = 0; i < count; i++) {
        if (name && strcmp(name, names[i]) != 0)
            continue;
        *ret = metric[i];
        return 0;
    }
    const char *nearest = grammar_nearest(name, names, count);
    return nearest ? err_set(e, "--metric %.60s: no such metric; did you mean %s?", name, nearest)
                   : err_set(e, "--metric %.60s: there are " BISECT_METRICS, name);
}

/* ---- one version ---- */

/* The entry that was looked at for a version. */
static size_t entry_of(const struct bisect_work *b, size_t version)
{
    for (size_t i = 0; i < b->work->set->entries; i++)
        if (b->place[i] == version)
            return i;
    check_fail(__FILE__, __LINE__, "the version has been looked at");
}

/* Runs the version `--repeat` times. Returns 0, or an exit code with the end and the sentence. */
static int look(struct bisect_work *b, size_t version)
{
    struct compare_work *w = b->work;
    struct err e = {{0}};
    int code = 0;
    size_t i = w->set->entries;
    b->place[i] = version;
    compare_set_add(w->set, b->version[version]);
    for (int round = 0; round < w->line->repeat; round++) {
        if (compare_work_one(w, i, (uint64_t)round, &code, &e) == 0)
            continue;
        b->end = w->sub.interrupted ? BISECT_END_STOPPED : BISECT_END_STUCK;
        snprintf(b->sentence, sizeof b->sentence, "%s", e.text);
        return w->sub.interrupted ? EXIT_INTERRUPTED : code;
    }
    compare_set_judge(w->set);
    return 0;
}

/* The metric of a version that was looked at; NAN: it can't be judged by it. */
static double figure_of(const struct bisect_work *b, size_t version)
{
    const struct compare_column *c = &b->work->set->judgement.column[entry_of(b, version)];
    if (b->metric != BISECT_VERDICT)
        return c->cell[b->metric].exact ? c->cell[b->metric].value : NAN;
    if (c->verdict == VERDICT_LEAK)
        return EXIT_FOUND;
    return c->verdict == VERDICT_PASS ? 0 : NAN;
}

/* `LEAK`, `3,005` or `46,800 B` */
static const char *value_text(const struct bisect_work *b, size_t version, char *buf, size_t size)
{
    const struct compare_column *c = &b->work->set->judgement.column[entry_of(b, version)];
    char value[COMPARE_FIGURE];
    if (b->metric == BISECT_VERDICT)
        return verdict_name(c->verdict);
    enum compare_row row = (enum compare_row)b->metric;
    bool bytes = compare_row_info(row)->unit == COMPARE_BYTES;
    snprintf(buf, size, "%s%s", compare_say_value(&c->cell[row], row, value, sizeof value),
             bytes ? " B" : "");
    return buf;
}

/* The same with the metric: `LEAK`, `allocs 3,005` */
static const char *figure_text(const struct bisect_work *b, size_t version, char *buf, size_t size)
{
    char value[COMPARE_FIGURE];
    if (b->metric == BISECT_VERDICT)
        return value_text(b, version, buf, size);
    snprintf(buf, size, "%s %s", bisect_metric_name(b->metric),
             value_text(b, version, value, sizeof value));
    return buf;
}

/* That the ends differ isn't known while one of them can't be judged. */
static int unsure(struct bisect_work *b, size_t version)
{
    char text[COMPARE_FIGURE * 2];
    struct text said = text_into(b->sentence, sizeof b->sentence);
    b->end = BISECT_END_UNSURE;
    text_add(&said, "%.100s can't be judged: %s", b->version[version],
             figure_text(b, version, text, sizeof text));
    if (version != 0 && version != b->versions - 1)
        text_add(&said, "; the first that differs lies between %.100s and %.100s",
                 b->version[b->low], b->version[b->high]);
    return EXIT_INCONCLUSIVE;
}

/* ---- the search ---- */

static int look_at_ends(struct bisect_work *b)
{
    const size_t last = b->versions - 1, ends[] = {0, last};
    const double tolerance = b->metric == BISECT_VERDICT ? 0 : b->work->set->tolerance;
    char text[COMPARE_FIGURE * 2], other[COMPARE_FIGURE * 2];
    for (size_t i = 0; i < 2; i++) {
        int code = look(b, ends[i]);
        if (code != 0)
            return code;
        if (isnan(figure_of(b, ends[i])))
            return unsure(b, ends[i]);
    }
    if (bisect_differs(figure_of(b, 0), figure_of(b, last), tolerance))
        return 0;
    b->end = BISECT_END_ALIKE;
    if (b->metric == BISECT_VERDICT) {
        snprintf(b->sentence, sizeof b->sentence, "%.100s and %.100s don't differ: both are %s",
                 b->version[0], b->version[last], figure_text(b, last, text, sizeof text));
        return EXIT_INCONCLUSIVE;
    }
    snprintf(b->sentence, sizeof b->sentence,
             "%.100s and %.100s don't differ by more than %g %%: %s and %s", b->version[0],
             b->version[last], 100 * b->work->set->tolerance, figure_text(b, 0, text, sizeof text),
             value_text(b, last, other, sizeof other));
    return EXIT_INCONCLUSIVE;
}

static int narrow(struct bisect_work *b)
{
    struct bisect search = bisect_of(b->versions);
    size_t version;
    while (bisect_next(&search, &version)) {
        int code = look(b, version);
        if (code != 0)
            return code;
        double value = figure_of(b, version);
        if (isnan(value))
            return unsure(b, version);
        bisect_take(&search, version,
                    bisect_like_last(value, figure_of(b, 0), figure_of(b, b->versions - 1)));
        b->low = search.low;
        b->high = search.high;
    }
    return 0;
}

static void say_found(struct bisect_work *b)
{
    char is[COMPARE_FIGURE * 2], was[COMPARE_FIGURE * 2];
    b->end = BISECT_END_FOUND;
    snprintf(b->sentence, sizeof b->sentence,
             "%.100s is the first with %s; %.100s, the one before, has %s", b->version[b->high],
             figure_text(b, b->high, is, sizeof is), b->version[b->low],
             value_text(b, b->low, was, sizeof was));
    b->work->set->searched = true;
}

/* The entries, which were looked at in the order of the search, in that of the list. */
static void put_in_order(struct bisect_work *b)
{
    struct compare_set *s = b->work->set;
    struct compare_entry *kept = malloc(sizeof *kept);
    CHECK(kept);
    for (size_t i = 1; i < s->entries; i++) {
        for (size_t k = i; k > 0 && b->place[k - 1] > b->place[k]; k--) {
            size_t place = b->place[k];
            *kept = s->entry[k];
            s->entry[k] = s->entry[k - 1];
            s->entry[k - 1] = *kept;
            b->place[k] = b->place[k - 1];
            b->place[k - 1] = place;
        }
    }
    free(kept);
}

/* A version whose run broke off has nothing to show. */
static void drop_empty(struct compare_set *s)
{
    if (s->entries && s->entry[s->entries - 1].runs == 0)
        s->entries--;
}

int bisect_search(struct bisect_work *b)
{
    struct compare_set *s = b->work->set;
    b->work->searches = true;
    s->rounds = (uint64_t)b->work->line->repeat;
    s->planned = s->rounds * bisect_most(b->versions);
    b->low = 0;
    b->high = b->versions - 1;
    int code = look_at_ends(b);
    if (code == 0)
        code = narrow(b);
    if (code == 0)
        say_found(b);
    drop_empty(s);
    put_in_order(b);
    s->state = b->end == BISECT_END_STOPPED ? COMPARE_STATE_STOPPED
               : b->end == BISECT_END_STUCK ? COMPARE_STATE_STUCK
                                            : COMPARE_STATE_ALL;
    s->planned = s->done;
    if (s->entries)
        compare_set_judge(s);
    return code;
}

/* ---- what came of it ---- */

/* The report of a run without a verdict has the command that settles it. */
static void print_settle(const struct compare_set *s, const struct screen *screen)
{
    char line[COMPARE_COMMAND];
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_entry *entry = &s->entry[i];
        const char *folder = entry->runs ? entry->folder[entry->runs - 1] : NULL;
        enum verdict verdict = s->judgement.column[i].verdict;
        if (!folder || verdict == VERDICT_PASS || verdict == VERDICT_LEAK)
            continue;
        struct text command = text_into(line, sizeof line);
        cmdline_program(&command);
        text_add(&command, " report");
        cmdline_word(&command, folder);
        fputc('\n', screen->out);
        screen_command(screen, "settle it", SETTLE_COLUMN, line, "");
        return;
    }
}

void bisect_text(const struct bisect_work *b, const struct report_style *style, bool quiet,
                 FILE *out)
{
    const struct compare_set *s = b->work->set;
    struct screen screen = screen_of(out, style);
    if (quiet)
        screen.columns = SCREEN_TEXT;
    if (b->end != BISECT_END_STUCK)
        screen_wrap(&screen, &(struct screen_lead){.word = ""}, "%s (%zu of %zu versions run)",
                    b->sentence, s->entries, b->versions);
    if (!quiet && b->end == BISECT_END_UNSURE)
        print_settle(s, &screen);
    if (!quiet && s->entries > 1) {
        fputc('\n', out);
        compare_text(s, style, false, out);
    }
}

char *bisect_json(const struct bisect_work *b, int exit_code)
{
    const bool found = b->end == BISECT_END_FOUND;
    json_t *comparison = b->work->set->entries ? compare_document(b->work->set) : json_null();
    json_t *versions = json_array();
    for (size_t i = 0; i < b->versions; i++)
        json_array_append_new(versions, json_from_text(b->version[i]));
    json_t *root = json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:o,s:o,s:o,s:o,s:I,s:o}", "schema",
                             BISECT_SCHEMA, "version", b->work->set->version, "end",
                             bisect_end_name(b->end), "exit", exit_code, "part", b->work->set->part,
                             "metric", bisect_metric_name(b->metric), "versions", versions,
                             "before", found ? json_from_text(b->version[b->low]) : json_null(),
                             "first", found ? json_from_text(b->version[b->high]) : json_null(),
                             "said", json_from_text(b->sentence), "runs",
                             (json_int_t)b->work->set->done, "comparison", comparison);
    return json_document(root);
}
