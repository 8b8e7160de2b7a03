/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/text.h"
#include "catalog.h"
#include "chosen.h"
#include "cmdline.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_COLUMNS = 23, VALUE_COLUMNS = 16, PLACE = 1100 };

static const struct opt table[] = {
    {"as-command", OPT_FLAG, 0, NULL, NULL,
     "print the command line that does the same, with what differs from the defaults; it names the "
     "scenario where a value has {here}, its folder"},
};

const struct command show_command = {
    .name = "show",
    .run = cmd_show,
    .words = "[SCENARIO] [OPTIONS]",
    .line = "what a scenario comes down to",
    .takes_run = true,
    .about = "Prints the values that a run would have, each with the place it has it from: the "
             "defaults, a line of a scenario file, or the command line. Takes what run takes.\n",
    .after = "Exit: 0, 2 when the values can't go together, too, which is told after them.\n",
    .table = table,
    .options = sizeof table / sizeof *table};

/* A behaviour without a weight that has none by default isn't worth a line. */
static bool is_shown(const struct scenario *s, size_t i)
{
    size_t first = SCENARIO_OPTIONS - BEHAVIOUR_COUNT, b = i - first;
    if (!scenario_is_weight(i))
        return !scenario_is_mix(i);
    return s->weight[b] || behaviour_entry((enum behaviour)b)->weight;
}

static void show_option(const struct chosen *c, size_t i)
{
    char value[OPTS_TEXT], place[PLACE], clean[OPTS_TEXT];
    size_t count;
    const struct opt *option = &scenario_options(&count)[i];
    opts_print(option, &c->scenario, value, sizeof value);
    scenario_place_print(place, sizeof place, &c->origin.place[i]);
    text_clean(place);
    /* A list has a line for each item. */
    for (char *line = value, *next; line; line = next) {
        next = option->type == OPT_LIST ? strchr(line, '\n') : NULL;
        if (next)
            *next++ = '\0';
        printf("%-*s = %-*s # %s\n", KEY_COLUMNS, option->name, VALUE_COLUMNS,
               text_copy(clean, sizeof clean, line), place);
    }
}

static void show_values(const struct chosen *c)
{
    const char *section = "";
    for (size_t i = 0; i < SCENARIO_OPTIONS; i++) {
        if (!is_shown(&c->scenario, i))
            continue;
        if (strcmp(section, scenario_section(i)) != 0)
            printf("%s[%s]\n", *section ? "\n" : "", scenario_section(i));
        section = scenario_section(i);
        show_option(c, i);
    }
}

/* Whether a value names the scenario's folder, which is another one without its file. */
static bool names_here(const struct scenario *s)
{
    char value[OPTS_TEXT];
    size_t count;
    const struct opt *option = scenario_options(&count);
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++)
        if (strstr(opts_print(&option[i], s, value, sizeof value), "{here}"))
            return true;
    return false;
}

/* What the command needn't say: the defaults, or with `by_file` what the file has. Returns 0 or -1.
 */
static int read_base(const struct chosen *c, bool by_file, struct scenario *ret, struct err *e)
{
    char path[PATH_MAX];
    scenario_defaults(ret);
    if (!by_file)
        return 0;
    return catalog_path(c->word, path, sizeof path, e) == 0 ? scenario_read(ret, path, e) : -1;
}

/* Strings that don't fit are refused by the check before. */
static int show_command_line(const struct chosen *c, struct err *e)
{
    enum { SIZE = 16 * OPTS_TEXT };
    struct scenario base;
    bool by_file = strcmp(c->word, "default") != 0 && names_here(&c->scenario);
    if (read_base(c, by_file, &base, e) != 0)
        return -1;
    char *text = malloc(SIZE);
    if (!text)
        return err_set(e, "out of memory");
    struct text line = text_into(text, SIZE);
    cmdline_program(&line);
    text_add(&line, " run");
    if (by_file)
        cmdline_word(&line, c->word);
    cmdline_differences(&line, &c->scenario, &base);
    puts(text);
    free(text);
    return 0;
}

/* Takes --as-command out of the words, which are a run's otherwise. */
static int split(int argc, char *const *argv, char **rest, bool *ret_as_command)
{
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--as-command") == 0)
            *ret_as_command = true;
        else
            rest[count++] = argv[i];
    }
    rest[count] = NULL;
    return count;
}

int cmd_show(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct chosen c;
    bool as_command = false;
    if (command_helped(&show_command, argc, argv))
        return 0;
    char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return command_refuse(&show_command, &(struct err){"out of memory"});
    int count = split(argc, argv, rest, &as_command);
    int rc = chosen_read(&c, "show", count, rest, &e);
    if (rc == 0 && !as_command)
        show_values(&c);
    if (rc == 0)
        rc = chosen_check(&c, &e);
    if (rc == 0 && as_command)
        rc = show_command_line(&c, &e);
    free(rest);
    fflush(stdout);
    return rc == 0 ? 0 : command_refuse(&show_command, &e);
}
