/* SPDX-License-Identifier: Apache-2.0 */
#include "footprint_lines.h"

#include "base/line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void footprint_lines_init(struct footprint_lines *l)
{
    *l = (struct footprint_lines){.footprint.rss_bytes_per_conn = NAN};
}

void footprint_lines_fini(struct footprint_lines *l)
{
    footprint_free(&l->footprint);
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++)
        free(l->caller[end]);
    footprint_lines_init(l);
}

static int read_figure(const char *line, const char *key, double *ret)
{
    uint64_t value;
    if (line_number(line, key, &value) < 0)
        return -1;
    *ret = (double)value;
    return 0;
}

/* The number of the end that `key` names, or -1. */
static int read_end(const char *line, const char *key)
{
    char word[32] = "";
    enum footprint_end end;
    line_text(line, key, false, word, sizeof word);
    return footprint_end_from_name(word, &end) ? (int)end : -1;
}

static int read_stage(const char *line)
{
    char word[32] = "";
    enum footprint_stage stage;
    line_text(line, "stage", false, word, sizeof word);
    return footprint_stage_from_name(word, &stage) ? (int)stage : -1;
}

/* Marks a bit. Returns -1 when it was marked before. */
static int mark(unsigned int *set, int bit)
{
    if (*set & 1u << bit)
        return -1;
    *set |= 1u << bit;
    return 0;
}

static int take_measured(struct footprint_lines *l, const char *line)
{
    struct footprint *f = &l->footprint;
    if (l->measured || line_number(line, "conns", &f->connections) < 0 || f->connections == 0 ||
        line_text(line, "tls", false, f->tls, sizeof f->tls) < 0 ||
        line_text(line, "key", false, f->key, sizeof f->key) < 0 ||
        line_text(line, "openssl", false, f->openssl, sizeof f->openssl) < 0)
        return -1;
    if (line_text(line, "group", false, f->group, sizeof f->group) < 0)
        f->group[0] = '\0'; /* it isn't always known */
    l->measured = true;
    return 0;
}

#define OR_READ(name) || read_figure(line, #name, &to->name) < 0

static int take_end(struct footprint_lines *l, const char *line)
{
    uint64_t exact = 0;
    int end = read_end(line, "name");
    if (end < 0 || mark(&l->ends, end) < 0 || line_number(line, "exact", &exact) < 0 || exact > 1)
        return -1;
    struct footprint_side *to = &l->footprint.end[end];
    to->exact = exact == 1;
    return 0 FOOTPRINT_SIDE_FIGURES(OR_READ) ? -1 : 0;
}

static int take_held(struct footprint_lines *l, const char *line)
{
    int end = read_end(line, "end"), stage = read_stage(line);
    if (end < 0 || stage < 0 || mark(&l->stages[end], stage) < 0)
        return -1;
    struct footprint_held *to = &l->footprint.end[end].held[stage];
    return 0 FOOTPRINT_HELD_FIGURES(OR_READ) ? -1 : 0;
}

static int take_site(struct footprint_lines *l, const char *line)
{
    char file[LINE_MAX_BYTES];
    uint64_t number = 0, caller = 0;
    struct footprint_site site = {.file = file}, *to = &site;
    int end = read_end(line, "end");
    if (end < 0 || line_number(line, "line", &number) < 0 || number > UINT32_MAX ||
        line_number(line, "caller", &caller) < 0 ||
        line_text(line, "file", true, file, sizeof file) < 0 ||
        !*file FOOTPRINT_SITE_FIGURES(OR_READ))
        return -1;
    struct footprint_side *side = &l->footprint.end[end];
    if (!l->caller[end])
        l->caller[end] = calloc(FOOTPRINT_SITES_MAX, sizeof *l->caller[end]);
    site.line = (uint32_t)number;
    if (!l->caller[end] || footprint_add_site(side, &site, NULL) < 0)
        return -1;
    l->caller[end][side->sites - 1] = caller;
    return 0;
}

static int take_rss(struct footprint_lines *l, const char *line)
{
    return read_figure(line, "bytes_per_conn", &l->footprint.rss_bytes_per_conn);
}

/* Nothing but that it isn't silent. */
static int take_working(struct footprint_lines *l, const char *line)
{
    (void)l;
    (void)line;
    return 0;
}

static int take_done(struct footprint_lines *l, const char *line)
{
    const unsigned int all_stages = (1u << FOOTPRINT_STAGE_COUNT) - 1;
    (void)line;
    if (!l->measured || l->ends != (1u << FOOTPRINT_END_COUNT) - 1)
        return -1;
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        if (l->stages[end] != all_stages)
            return -1;
    }
    l->done = true;
    return 0;
}

static const struct {
    const char *word;
    int (*take)(struct footprint_lines *l, const char *line);
} words[] = {{"working", take_working}, {"measured", take_measured}, {"end", take_end},
             {"held", take_held},       {"site", take_site},         {"rss", take_rss},
             {"done", take_done}};

int footprint_lines_add(struct footprint_lines *l, const char *line, struct err *e)
{
    char text[LINE_MAX_BYTES];
    if (line_is(line, "fatal") && line_text(line, "text", true, text, sizeof text) == 0)
        return err_set(e, "soak-footprint: %.400s", text);
    for (size_t i = 0; !l->done && i < sizeof words / sizeof *words; i++) {
        if (line_is(line, words[i].word) && words[i].take(l, line) == 0)
            return 0;
    }
    return err_set(e, "soak-footprint said what can't be understood: %.200s", line);
}
