/* SPDX-License-Identifier: Apache-2.0 */
#include "repeat.h"

#include "base/check.h"
#include "cmdline.h"

#include <inttypes.h>
#include <string.h>

/* What says how long a run is. */
static const char *const lengths[] = {"closed", "for", "sensitivity", "until-sure", "keep-going"};

static bool is_length(const char *name)
{
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (strcmp(name, lengths[i]) == 0)
            return true;
    return false;
}

/* Where its output goes and what is expected isn't the run's own, nor what says how long it is,
 * unless it is the `whole` run that is repeated. */
static bool is_repeated(const char *name, size_t index, bool whole)
{
    if (strcmp(name, "seed") == 0 || (!whole && is_length(name)))
        return false;
    return scenario_is_of_run(index);
}

/* What the scenario's file says is in it; the mix is one option, whatever was typed of it. */
static void add_options(struct text *c, const struct run *r, bool whole)
{
    bool mixed = false;
    for (size_t i = SCENARIO_OPTIONS; i-- > 0 && scenario_is_weight(i);)
        mixed |= r->origin->place[i].source == SCENARIO_COMMAND;
    size_t count;
    const struct opt *option = scenario_options(&count);
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++) {
        bool mix = strcmp(option[i].name, "mix") == 0;
        bool typed = r->origin->place[i].source == SCENARIO_COMMAND;
        if (mix ? mixed || typed : typed && is_repeated(option[i].name, i, whole))
            cmdline_option(c, r->scenario, i);
    }
}

void repeat_run(struct text *c, const struct run *r, bool whole)
{
    cmdline_program(c);
    if (strcmp(r->word, "default") != 0) {
        text_add(c, " run");
        cmdline_word(c, r->word);
    }
    add_options(c, r, whole);
}

void repeat_seed(struct text *c, const struct run *r)
{
    text_add(c, " --seed %" PRIx64, r->seed);
}

static size_t index_of(const char *name)
{
    size_t count;
    const struct opt *table = scenario_options(&count), *option = opts_find(table, count, name);
    CHECK(option);
    return (size_t)(option - table);
}

bool repeat_has(const struct run *r, const char *name)
{
    return r->origin->in_file[index_of(name)];
}

bool repeat_is_bound(const struct run *r)
{
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (repeat_has(r, lengths[i]))
            return true;
    return false;
}

void repeat_take_back(struct text *c, const struct run *r, const char *name)
{
    struct scenario usual;
    if (!repeat_has(r, name))
        return;
    scenario_defaults(&usual);
    cmdline_option(c, &usual, index_of(name));
}

void repeat_put_over(struct text *c, const struct run *r, const char *name)
{
    size_t i = index_of(name);
    if (repeat_has(r, name) && r->origin->place[i].source == SCENARIO_COMMAND)
        cmdline_option(c, r->scenario, i);
}

char *repeat_whole_or_none(const struct text *c)
{
    if (c->cut)
        c->at[0] = '\0';
    return c->at;
}

char *repeat_again(const struct run *r, char *buf, size_t size)
{
    struct text c = text_into(buf, size);
    cmdline_program(&c);
    text_add(&c, " run");
    cmdline_word(&c, r->word);
    add_options(&c, r, true);
    repeat_seed(&c, r);
    return repeat_whole_or_none(&c);
}

/* What somebody gave; the run itself settles others. */
static bool is_given(const struct run *r, size_t i, bool is_mix)
{
    return is_mix || r->origin->place[i].source != SCENARIO_DEFAULT;
}

char *repeat_alone(const struct run *r, char *buf, size_t size)
{
    struct text c = text_into(buf, size);
    size_t count;
    const struct opt *option = scenario_options(&count);
    cmdline_program(&c);
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++) {
        bool is_mix = strcmp(option[i].name, "mix") == 0;
        if (is_repeated(option[i].name, i, true) && is_given(r, i, is_mix) &&
            !cmdline_is_usual(r->scenario, i))
            cmdline_option(&c, r->scenario, i);
    }
    repeat_seed(&c, r);
    return repeat_whole_or_none(&c);
}
