/* SPDX-License-Identifier: Apache-2.0 */
/* rules.def: that each rule can be met by a line, and then refuses it. */
#include "options/behaviours.h"
#include "options/choices.h"
#include "options/limits.h"
#include "options/opts_check.h"
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A value of any type, and behind it the text that a string borrows. */
enum { TEXT = 128, VALUE = 2048, SLOT = VALUE + TEXT, ENTRIES = 256 };
_Static_assert(VALUE >= sizeof(uint64_t) * BEHAVIOUR_COUNT, "weights are the largest values");

/* The options of soak and of the programs that it starts. */
enum program { SOAK, SERVER, CLIENT, FOOTPRINT, PROGRAMS };
enum { TAKES_S = 1, TAKES_C = 1, TAKES_F = 1, TAKES__ = 0 };

static const struct entry {
    const char *section;
    bool taken_by[PROGRAMS];
    struct opt option;
    struct opt_bounds bounds;
} entries[] = {
#define X(section, name, s, c, f, TYPE, field, metavar, choices, usual, limits, help)              \
    {section,                                                                                      \
     {false, TAKES_##s, TAKES_##c, TAKES_##f},                                                     \
     {name, OPT_##TYPE, 0, metavar, choices, help},                                                \
     {usual, limits}},
#include "options/options.def"
#include "options/programs.def"
#undef X
};

static const struct rule {
    const char *refused, *conditions, *said;
} rules[] = {
#define X(refused, conditions, said) {refused, conditions, said},
#include "options/rules.def"
#undef X
};

/* A program's table, each option with a slot of its own in the target. */
struct line {
    struct opt option[ENTRIES];
    struct opt_bounds bounds[ENTRIES];
    struct opts_table table;
    _Alignas(uint64_t) char target[ENTRIES * SLOT];
};

/* soak has all but those of the programs alone. */
static bool is_taken(const struct entry *e, enum program program)
{
    return program == SOAK ? strcmp(e->section, "program") != 0 : e->taken_by[program];
}

static void begin(struct line *l, enum program program)
{
    size_t count = 0;
    memset(l, 0, sizeof *l);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (!is_taken(&entries[i], program))
            continue;
        assert_true(count < ENTRIES);
        l->option[count] = entries[i].option;
        l->option[count].offset = count * SLOT;
        l->bounds[count++] = entries[i].bounds;
    }
    l->table = (struct opts_table){l->option, l->bounds, count};
    opts_set_usual(&l->table, l->target);
}

static void set(struct line *l, const struct opt *option, const char *text, size_t length)
{
    struct err e;
    char *kept = l->target + option->offset + VALUE;
    snprintf(kept, TEXT, "%.*s", (int)length, text);
    if (opts_set(option, l->target, kept, &e) != 0)
        fail_msg("--%s %s: %s", option->name, kept, e.text);
}

/* The first of its choices, or a value such as others have, that is as the rule has it. */
static bool set_some(struct line *l, const struct opt *option, const char *values)
{
    static const char *const any[] = {"2", "5s", "true", "7%", "1/7", "7B/conn", "1KiB", "a=b"};
    struct err e;
    size_t length;
    bool named = option->type == OPT_CHOICE || option->type == OPT_WEIGHTS;
    const char *choice;
    for (int i = 0; named && (choice = choices_at(option->choices, i, &length)); i++) {
        set(l, option, choice, length);
        if (opts_need_met(option, l->target, values))
            return true;
    }
    for (size_t i = 0; !named && i < sizeof any / sizeof *any; i++)
        if (opts_set(option, l->target, any[i], &e) == 0 &&
            opts_need_met(option, l->target, values))
            return true;
    return false;
}

/* Returns false when the program hasn't the options. */
static bool meet(struct line *l, const char *conditions)
{
    struct opts_condition c;
    while (opts_condition_next(&conditions, &c)) {
        const struct opt *option = opts_find(l->option, l->table.count, c.name);
        if (!option)
            return false;
        if (*c.values != '*' && *c.values != '!')
            set(l, option, c.values, strcspn(c.values, "|"));
        else if (strcmp(c.values, "!*") != 0 && !set_some(l, option, c.values))
            fail_msg("no value of --%s is %s", c.name, c.values);
    }
    return true;
}

/* Whether a line of the program's that meets the rule, and has `beside`, is refused by this rule.
 */
static bool refuses(const struct rule *rule, enum program program, const char *beside)
{
    static struct line l; /* large */
    struct err e = {""};
    begin(&l, program);
    if (!meet(&l, beside) || !meet(&l, rule->conditions) || opts_check(&l.table, l.target, &e) == 0)
        return false;
    return strstr(e.text, rule->said) &&
           strncmp(e.text + 2, rule->refused, strlen(rule->refused)) == 0;
}

/* Where a rule's own conditions alone meet an earlier one, too, the line says something beside. */
static bool refuses_any(const struct rule *rule)
{
    static const char *const beside[] = {"",        "client=*", "server=*", "agents-listen=*",
                                         "tls=1.2", "connect=*"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        for (int program = 0; program < PROGRAMS; program++)
            if (refuses(rule, (enum program)program, beside[i]))
                return true;
    return false;
}

static void every_rule_refuses_a_line_that_meets_it(void **state)
{
    (void)state;
    size_t dead = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (refuses_any(&rules[i]))
            continue;
        print_error("--%s with %s is never refused by its rule\n", rules[i].refused,
                    rules[i].conditions);
        dead++;
    }
    assert_int_equal(dead, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_refuses_a_line_that_meets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
