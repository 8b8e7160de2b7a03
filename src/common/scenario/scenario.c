/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/scenario_internal.h"

#include "base/check.h"
#include "options/limits.h"
#include "options/opts_check.h"

#include <stdio.h>
#include <string.h>

#define TABLE_OF              struct scenario
#define TABLE_COLUMN(s, c, f) S
#define TABLE_PROGRAMS        0
#define TABLE_WEIGHTS         1
#include "options/program_table.def"

_Static_assert(sizeof table_options / sizeof table_options[0] == SCENARIO_OPTIONS,
               "none is left out");

static const char *const sections[] = {
#define X(section, ...) section,
#include "options/options.def"
#undef X
};

const struct opts_table *scenario_table(void)
{
    return &table;
}

const struct opt *scenario_options(size_t *ret_count)
{
    *ret_count = SCENARIO_OPTIONS;
    return table_options;
}

const char *scenario_section(size_t i)
{
    const size_t named = sizeof sections / sizeof sections[0];
    CHECK(i < SCENARIO_OPTIONS);
    return sections[i < named ? i : named - 1];
}

bool scenario_is_of_run(size_t i)
{
    const char *section = scenario_section(i);
    return strcmp(section, "output") != 0 && strcmp(section, "suite") != 0;
}

bool scenario_is_weight(size_t i)
{
    return i >= sizeof sections / sizeof sections[0];
}

bool scenario_is_mix(size_t i)
{
    CHECK(i < SCENARIO_OPTIONS);
    return table_options[i].type == OPT_WEIGHTS &&
           table_options[i].offset == offsetof(struct scenario, weight);
}

/* The options are sorted by section. */
size_t scenario_sections(const char **names, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < SCENARIO_OPTIONS; i++) {
        if (count && strcmp(names[count - 1], scenario_section(i)) == 0)
            continue;
        CHECK(count < size);
        names[count++] = scenario_section(i);
    }
    return count;
}

char *scenario_value(const struct scenario *s, const char *name, char *buf, size_t size)
{
    const struct opt *option = opts_find(table.option, table.count, name);
    CHECK(option);
    return opts_print(option, s, buf, size);
}

void scenario_defaults(struct scenario *s)
{
    *s = (struct scenario){0};
    opts_set_usual(&table, s);
}

/* ---- where a value comes from ---- */

void scenario_note(struct scenario_origin *o, size_t i, struct scenario_place place)
{
    size_t count;
    scenario_options(&count);
    CHECK(i < count);
    for (size_t k = 0; k < count; k++) {
        if (k != i && !(scenario_is_mix(i) && scenario_is_weight(k)))
            continue;
        o->place[k] = place;
        o->in_file[k] |= place.source == SCENARIO_FILE;
    }
}

static void note_command(void *ctx, size_t i)
{
    scenario_note(ctx, i, (struct scenario_place){.source = SCENARIO_COMMAND});
}

void scenario_note_command(struct scenario_origin *o, int argc, char *const *argv)
{
    struct opts_line line = {.argc = argc, .argv = argv};
    line.table = scenario_options(&line.options);
    opts_walk(&line, note_command, o);
}

char *scenario_place_print(char *buf, size_t size, const struct scenario_place *place)
{
    switch (place->source) {
    case SCENARIO_DEFAULT:
        snprintf(buf, size, "default");
        return buf;
    case SCENARIO_FILE:
        snprintf(buf, size, "%s:%d", place->file, place->line);
        return buf;
    case SCENARIO_COMMAND:
        snprintf(buf, size, "command line");
        return buf;
    }
    check_fail(__FILE__, __LINE__, "every source has a case");
}

int scenario_locate(const struct scenario_origin *o, struct err *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    char name[64];
    size_t count;
    const struct opt *options = scenario_options(&count);
    if (!e || strncmp(e->text, "--", 2) != 0)
        return -1;
    snprintf(name, sizeof name, "%.*s", (int)strspn(e->text + 2, letters), e->text + 2);
    const struct opt *option = opts_find(options, count, name);
    if (!option || o->place[option - options].source != SCENARIO_FILE)
        return -1;
    const struct scenario_place *place = &o->place[option - options];
    return err_prefix(e, "%s:%d", place->file, place->line);
}

/* ---- hints ---- */

#define COMMAND(typed, command) {typed, command},

static const struct hint hints[] = {
#define X(typed, option, remark) {typed, option, remark},
#include "scenario/hints.def"
};

static const struct {
    const char *typed, *command;
} commands[] = {HINT_COMMANDS(COMMAND)};

const struct hint *hint_for(const char *typed)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(hints[i].typed, typed) == 0)
            return &hints[i];
    return NULL;
}

const char *hint_command(const char *typed)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].typed, typed) == 0)
            return commands[i].command;
    return NULL;
}

/* Where agents can reach it: a number that isn't every address of the machine. */
int scenario_parse_address(const struct scenario *s, const char *text, struct address *ret)
{
    struct address at = {.bytes = 0};
    if ((s->agents ? address_parse_any : address_parse)(text, &at, NULL) != 0 ||
        address_is_every(&at))
        return -1;
    *ret = at;
    return 0;
}
