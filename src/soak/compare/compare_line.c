/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_line.h"

#include "base/check.h"
#include "catalog.h"
#include "commands.h"

#include <stdlib.h>
#include <string.h>

enum {
    MEASURED = 4000, /* connections that a run's verdict rests on, so that it takes seconds */
    ROUNDS = 8,      /* of operations, at least: scenario_check */
    RELOADS = 60     /* that a run makes, which take half a minute */
};

/* The seeds are the comparison's: the runs of a round share one. */
int compare_line_read(struct compare_line *line, const struct command *c, int argc,
                      char *const *argv, struct err *e)
{
    _Static_assert(offsetof(struct compare_line, run) == 0, "options of a run keep their offsets");
    const struct command_line own = {c->name, {c->table, c->options, argc, argv, NULL}, "seed"};
    struct opts_words words;
    line->tolerance = 0.01;
    line->side = COMPARE_SIDE_RUN;
    int rc = forwarded_options_read(&line->forwarded_options, &own, line, &words, e);
    line->word = words.word;
    line->words = words.count;
    return rc;
}

/* ---- names ---- */

static char *take_name(enum compare_part part, char **rest)
{
    char *name = *rest;
    size_t length = compare_part_length(part, name);
    *rest = name[length] ? name + length + 1 : NULL;
    name[length] = '\0';
    return name;
}

static int split(struct compare_line *line, const char *list, struct err *e)
{
    line->names_text = strdup(list);
    CHECK(line->names_text);
    for (char *rest = line->names_text; rest;) {
        char *name = take_name(line->part, &rest);
        if (!*name)
            return err_set(e, "--%s=%.100s: a name is missing", compare_part_name(line->part),
                           list);
        for (size_t i = 0; i < line->names; i++)
            if (strcmp(line->name[i], name) == 0)
                return err_set(e, "--%s: %.60s is given twice", compare_part_name(line->part),
                               name);
        if (line->names == COMPARE_LINE_NAMES)
            return err_set(e, "--%s: at most %d names", compare_part_name(line->part),
                           COMPARE_LINE_NAMES);
        line->name[line->names++] = name;
    }
    struct part_words words;
    for (size_t i = 0; i < line->names; i++)
        if (compare_part_words(line->part, line->name[i], &words, e) != 0)
            return -1;
    return 0;
}

const char *compare_line_range(const char *name)
{
    for (const char *p = strstr(name, ".."); p; p = strstr(p + 2, "..")) {
        bool folder = (p == name || p[-1] == '/' || p[-1] == ',') && strchr("/,", p[2]);
        if (!folder)
            return p;
    }
    return NULL;
}

static bool several(enum compare_part part, const char *list)
{
    return list && (list[compare_part_length(part, list)] || compare_line_range(list));
}

/* The part that varies: one alone, so that what differs has one cause. */
static int find_part(struct compare_line *line, int *ret, struct err *e)
{
    int found = -1;
    for (int p = 0; p < COMPARE_PARTS; p++) {
        if (!several((enum compare_part)p, line->list[p]))
            continue;
        if (found >= 0)
            return err_set(e,
                           "--%s and --%s: one thing varies at a time; give one name of the other",
                           compare_part_name((enum compare_part)found),
                           compare_part_name((enum compare_part)p));
        found = p;
    }
    for (int p = 0; p < COMPARE_PARTS && found < 0; p++)
        if (line->list[p])
            found = p;
    *ret = found;
    return 0;
}

int compare_line_names(struct compare_line *line, struct err *e)
{
    int part;
    if (find_part(line, &part, e) != 0)
        return -1;
    if (part < 0)
        return 0;
    line->part = (enum compare_part)part;
    for (int p = 0; p < COMPARE_PARTS; p++)
        if (p != part && line->list[p] &&
            compare_part_words((enum compare_part)p, line->list[p], &line->fixed[p], e) != 0)
            return -1;
    return split(line, line->list[part], e);
}

struct prepare_request compare_line_request(const struct compare_line *line,
                                            const struct scenario *s)
{
    struct prepare_request q = {.part = line->part,
                                .name = line->name,
                                .names = line->names,
                                .libc = s->libc,
                                .jemalloc = s->jemalloc,
                                .same_libc = line->same_libc};
    const char *const of_scenario[COMPARE_PARTS] = {s->openssl, s->libuv, NULL, s->program};
    for (int p = 0; p < COMPARE_PARTS; p++)
        q.fixed[p] = line->list[p] ? line->list[p] : of_scenario[p];
    return q;
}

/* ---- the scenario ---- */

/* A program that isn't soak's has libraries of its own. */
static int check_parts(const struct compare_line *line, const struct scenario *s, struct err *e)
{
    static const enum compare_part built[] = {COMPARE_OPENSSL, COMPARE_LIBUV};
    const char *option = s->server ? "server" : s->client ? "client" : "connect";
    for (size_t i = 0; i < sizeof built / sizeof *built; i++)
        if (line->list[built[i]] && (s->server || s->client || s->connect))
            return err_set(e,
                           "--%s: the program of --%s brings its own; compare versions of it with "
                           "--program debian:SUITE/PACKAGE,...",
                           compare_part_name(built[i]), option);
    return 0;
}

int compare_line_scenario(const struct compare_line *line, struct scenario *ret, char *name,
                          size_t size, struct err *e)
{
    char path[PATH_MAX];
    struct scenario_origin origin = {0};
    const char *word = line->words ? line->word[0] : "default";
    scenario_defaults(ret);
    catalog_name(word, name, size);
    if (line->words && (catalog_path(word, path, sizeof path, e) != 0 ||
                        scenario_read_noting(ret, &origin, path, e) != 0))
        return -1;
    if (line->list[COMPARE_PROGRAM])
        ret->program = line->part == COMPARE_PROGRAM ? line->name[0] : line->list[COMPARE_PROGRAM];
    if (forwarded_options_apply(&line->forwarded_options, ret, &origin, e) != 0 ||
        check_parts(line, ret, e) != 0)
        return -1;
    return ret->fail_alloc ? err_set(e, "--fail-alloc: it has no verdict that could be compared")
                           : 0;
}

uint64_t compare_line_closed(const struct scenario *s)
{
    if (s->closed || s->for_ns || s->until_sure || s->sensitivity || s->loop)
        return 0;
    if (scenario_unit(s) == UNIT_RELOAD)
        return RELOADS;
    /* A tenth goes to the warm-up, and the open ones have to be replaced before and after. */
    uint64_t closed = MEASURED / 10 * 11 + 4 * s->conns;
    uint64_t operations = s->operate != OPERATE_NONE ? ROUNDS * s->conns : 0;
    return closed > operations ? closed : operations;
}

uint64_t compare_line_alike(const struct scenario *s)
{
    enum { FEWEST = 600, FOLD = 20 };
    if (!s->server || s->reload)
        return 0;
    return FOLD * s->conns > FEWEST ? FOLD * s->conns : FEWEST;
}

void compare_line_free(struct compare_line *line)
{
    forwarded_options_free(&line->forwarded_options);
    free(line->names_text);
    free(line->word);
}
