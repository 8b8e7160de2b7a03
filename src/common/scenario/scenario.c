/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/scenario.h"

#include "base/check.h"
#include "options/limits.h"
#include "options/opts_check.h"

#include <stddef.h>
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

bool scenario_is_weight(size_t i)
{
    return i >= sizeof sections / sizeof sections[0];
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
