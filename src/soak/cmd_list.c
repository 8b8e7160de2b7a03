/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/check.h"
#include "base/text.h"
#include "catalog.h"
#include "options/behaviours.h"
#include "options/grammar.h"
#include "scenario/scenario.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMNS = 26, SHORT_COLUMNS = 14, TEXT = 1024 };

struct options {
    const char *json;
};

static const struct opt table[] = {
    {"json", OPT_OUTPUT, offsetof(struct options, json), "FILE", ".json",
     "as a JSON document, to stdout without FILE"},
};

const struct command list_command = {
    .name = "list",
    .run = cmd_list,
    .words = "[LIST] [OPTIONS]",
    .line = "scenarios, behaviours, defects",
    .choices = "scenarios|behaviours|defects",
    .about = "Lists the scenarios of scenarios/, the behaviours of peers or the defects that the "
             "built-in server can be told to have. LIST is scenarios, behaviours or defects; "
             "without it, the names of all three.\n",
    .after = "Exit: 0, 2 usage.\n",
    .table = table,
    .options = sizeof table / sizeof *table};

struct defect {
    const char *name, *help;
};

static const struct defect defects[] = {
#define X(name, identifier, help) {name, help},
#include "options/defects.def"
};
enum { DEFECTS = sizeof defects / sizeof *defects };

/* A list: how it is printed, in full and by its names alone, and put into a document. */
struct list {
    const char *name;
    void (*print)(const struct catalog *c);
    void (*print_names)(const struct catalog *c);
    json_t *(*document)(const struct catalog *c);
};

/* ---- lines ---- */

static void print_row(const char *name, const char *text)
{
    char clean[TEXT];
    int used = printf("  %s", text_copy(clean, sizeof clean, name));
    const int columns = command_columns(stdout);
    int left = opts_left(used, NAME_COLUMNS, columns, stdout);
    opts_wrap(text_copy(clean, sizeof clean, text), left, columns, stdout);
}

/* What was cut would be missing without a word. */
static void print_short(const char *label, const struct text *names)
{
    CHECK(!names->cut);
    printf("%-*s", SHORT_COLUMNS, label);
    opts_wrap(text_clean(names->at), SHORT_COLUMNS, command_columns(stdout), stdout);
}

/* ---- scenarios ---- */

static const char *sentences_of(const char *name, size_t sentences, char *buf)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/scenarios/%s.soak", catalog_root(), name);
    return catalog_about(path, sentences, buf, TEXT);
}

static bool says_the_same(const struct catalog *c, size_t i, const char *text)
{
    char other[TEXT];
    return i < c->count && strcmp(sentences_of(c->name[i], 1, other), text) == 0;
}

/* Its first sentence; with the second where a neighbour has the same first one, as the two of a
 * pair have, with a bug and without it. */
static const char *about(const struct catalog *c, size_t i, char *buf)
{
    sentences_of(c->name[i], 1, buf);
    bool shared = says_the_same(c, i + 1, buf) || (i > 0 && says_the_same(c, i - 1, buf));
    return shared ? sentences_of(c->name[i], 2, buf) : buf;
}

static void print_scenarios(const struct catalog *c)
{
    char text[TEXT];
    for (size_t i = 0; i < c->count; i++)
        print_row(c->name[i], about(c, i, text));
}

/* For as many scenarios as a clone has. */
static void print_scenario_names(const struct catalog *c)
{
    const size_t size = PATH_MAX + TEXT + c->count * (CATALOG_NAME + sizeof ", ");
    char *text = malloc(size);
    CHECK(text);
    struct text names = text_list(text, size, ", ");
    for (size_t i = 0; i < c->count; i++)
        text_item(&names, "%s", c->name[i]);
    if (c->count == 0)
        text_item(&names, "none: %s has no scenarios/", catalog_root());
    print_short("scenarios", &names);
    free(text);
}

static json_t *scenarios_json(const struct catalog *c)
{
    char text[TEXT];
    json_t *array = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(
            array, json_pack("{s:s,s:s}", "name", c->name[i], "about", about(c, i, text)));
    return array;
}

/* ---- behaviours ---- */

/* What soak-server does to a client program is a family of its own, named for the option. */
static const char server_mix[] = "server-mix";

static void print_behaviour(const struct behaviour_entry *b)
{
    char text[TEXT], weight[64] = "", needs[256] = "", server[64] = "";
    if (b->weight)
        snprintf(weight, sizeof weight, " (weight %" PRIu64 ")", b->weight);
    if (*b->needs)
        snprintf(needs, sizeof needs, " (needs %s)", b->needs);
    if (b->server != SERVER_ANY)
        snprintf(server, sizeof server, " (%s only)", behaviour_server_name(b->server));
    snprintf(text, sizeof text, "%s%s%s%s", b->help, weight, needs, server);
    print_row(b->name, text);
}

static void print_server_behaviour(const struct server_behaviour_entry *b)
{
    char text[TEXT], needs[256] = "";
    if (*b->needs)
        snprintf(needs, sizeof needs, " (needs %s)", b->needs);
    snprintf(text, sizeof text, "%s%s", b->help, needs);
    print_row(b->name, text);
}

static void print_behaviours(const struct catalog *c)
{
    (void)c;
    for (int f = 0; f < BEHAVIOUR_FAMILIES; f++) {
        const char *joint = f ? "\n" : "";
        for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
            const struct behaviour_entry *b = behaviour_entry((enum behaviour)i);
            if ((int)b->family != f)
                continue;
            if (joint)
                printf("%s%s\n", joint, behaviour_family_name(b->family));
            joint = NULL;
            print_behaviour(b);
        }
    }
    printf("\n%s\n", server_mix);
    for (int i = 0; i < SERVER_BEHAVIOURS; i++)
        print_server_behaviour(server_behaviour_entry((enum server_behaviour)i));
}

static void print_behaviour_names(const struct catalog *c)
{
    (void)c;
    for (int f = 0; f < BEHAVIOUR_FAMILIES; f++) {
        char text[TEXT], label[SHORT_COLUMNS + 1];
        struct text names = text_list(text, sizeof text, ", ");
        for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
            const struct behaviour_entry *b = behaviour_entry((enum behaviour)i);
            if ((int)b->family == f)
                text_item(&names, "%s", b->name);
        }
        snprintf(label, sizeof label, "  %s", behaviour_family_name((enum behaviour_family)f));
        if (names.used)
            print_short(label, &names);
    }
    char text[TEXT], label[SHORT_COLUMNS + 1];
    struct text names = text_list(text, sizeof text, ", ");
    for (int i = 0; i < SERVER_BEHAVIOURS; i++)
        text_item(&names, "%s", server_behaviour_entry((enum server_behaviour)i)->name);
    snprintf(label, sizeof label, "  %s", server_mix);
    print_short(label, &names);
}

static void add_server_behaviours(json_t *array)
{
    struct scenario usual;
    scenario_defaults(&usual);
    for (int i = 0; i < SERVER_BEHAVIOURS; i++) {
        const struct server_behaviour_entry *b = server_behaviour_entry((enum server_behaviour)i);
        json_array_append_new(
            array, json_pack("{s:s,s:s,s:I,s:s,s:s,s:s}", "name", b->name, "family", server_mix,
                             "weight", (json_int_t)usual.server_mix[i], "needs", b->needs, "server",
                             behaviour_server_name(SERVER_OBEYS), "help", b->help));
    }
}

static json_t *behaviours_json(const struct catalog *c)
{
    (void)c;
    json_t *array = json_array();
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        const struct behaviour_entry *b = behaviour_entry((enum behaviour)i);
        json_array_append_new(array, json_pack("{s:s,s:s,s:I,s:s,s:s,s:s}", "name", b->name,
                                               "family", behaviour_family_name(b->family), "weight",
                                               (json_int_t)b->weight, "needs", b->needs, "server",
                                               behaviour_server_name(b->server), "help", b->help));
    }
    add_server_behaviours(array);
    return array;
}

/* ---- defects ---- */

static void print_defects(const struct catalog *c)
{
    (void)c;
    for (int i = 0; i < DEFECTS; i++)
        print_row(defects[i].name, defects[i].help);
}

static void print_defect_names(const struct catalog *c)
{
    char text[TEXT];
    struct text names = text_list(text, sizeof text, ", ");
    (void)c;
    for (int i = 0; i < DEFECTS; i++)
        text_item(&names, "%s", defects[i].name);
    print_short("defects", &names);
}

static json_t *defects_json(const struct catalog *c)
{
    (void)c;
    json_t *array = json_array();
    for (int i = 0; i < DEFECTS; i++)
        json_array_append_new(
            array, json_pack("{s:s,s:s}", "name", defects[i].name, "help", defects[i].help));
    return array;
}

/* ---- the command ---- */

static const struct list lists[] = {
    {"scenarios", print_scenarios, print_scenario_names, scenarios_json},
    {"behaviours", print_behaviours, print_behaviour_names, behaviours_json},
    {"defects", print_defects, print_defect_names, defects_json},
};
enum { LISTS = sizeof lists / sizeof *lists };

/* All of them when `only` is NULL. Returns the exit code. */
static int write_document(const struct catalog *c, const struct list *only, const char *path)
{
    json_t *document = json_pack("{s:s}", "schema", "soak-list/1");
    for (int i = 0; i < LISTS; i++)
        if (!only || only == &lists[i])
            json_object_set_new(document, lists[i].name, lists[i].document(c));
    return command_document(&list_command, document, path);
}

static int print_lists(const struct catalog *c, const struct list *only)
{
    if (only) {
        only->print(c);
        return 0;
    }
    for (int i = 0; i < LISTS; i++) {
        if (lists[i].print == print_behaviours)
            puts("behaviours");
        lists[i].print_names(c);
    }
    puts("\n`soak list behaviours` and the like say what each is.");
    return 0;
}

static int find_list(const char *word, const struct list **ret, struct err *e)
{
    const char *names[LISTS];
    for (int i = 0; i < LISTS; i++) {
        names[i] = lists[i].name;
        if (strcmp(word, names[i]) != 0)
            continue;
        *ret = &lists[i];
        return 0;
    }
    const char *nearest = grammar_nearest(word, names, LISTS);
    if (nearest)
        return err_set(e, "%.60s: no such list; did you mean %s?", word, nearest);
    return err_set(e, "%.60s: no such list; there are scenarios, behaviours and defects", word);
}

int cmd_list(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct options o = {.json = NULL};
    const struct list *only = NULL;
    const char *word[1];
    struct opts_words words = {.word = word, .size = 1};
    int code = command_parse_words(&list_command, argc, argv, &o, &words);
    if (code >= 0)
        return code;
    if (words.count && find_list(word[0], &only, &e) != 0)
        return command_refuse(&list_command, &e);
    struct catalog *c = calloc(1, sizeof *c);
    if (!c)
        return command_refuse(&list_command, &(struct err){"out of memory"});
    catalog_read(c);
    code = o.json ? write_document(c, only, o.json) : print_lists(c, only);
    free(c);
    return code;
}
