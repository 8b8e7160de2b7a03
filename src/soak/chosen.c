#include "chosen.h"

#include "catalog.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* `nightly` of "scenarios/nightly.soak". */
/* The line is parsed twice: first to find the scenario's name in it. */
int chosen_read(struct chosen *c, int argc, char *const *argv, struct err *e)
{
    size_t count, words = 0;
    const char *word[2];
    char path[PATH_MAX];
    const struct opt *table = scenario_options(&count);
    *c = (struct chosen){.word = "default"};
    scenario_defaults(&c->scenario);
    if (opts_parse(table, count, argc, argv, &c->scenario, word, 2, &words, e) != 0)
        return -1;
    if (words > 1)
        return err_set(e, "%s: one scenario at a time, and '%s' is already one", word[1], word[0]);
    if (words)
        c->word = word[0];
    catalog_name(c->word, c->name, sizeof c->name);
    if (words) {
        scenario_defaults(&c->scenario);
        if (catalog_path(c->word, path, sizeof path, e) != 0 ||
            scenario_read_noting(&c->scenario, &c->origin, path, e) != 0 ||
            opts_parse(table, count, argc, argv, &c->scenario, word, 2, &words, e) != 0)
            return -1;
    }
    scenario_note_command(&c->origin, argc, argv);
    return 0;
}

int chosen_check(const struct chosen *c, struct err *e)
{
    return scenario_check(&c->scenario, e) == 0 ? 0 : scenario_locate(&c->origin, e);
}
