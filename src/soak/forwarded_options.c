/* SPDX-License-Identifier: Apache-2.0 */
#include "forwarded_options.h"

#include "base/check.h"
#include "scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_of_a_run(const char *name)
{
    size_t count;
    const struct opt *run = scenario_options(&count), *found = opts_find(run, count, name);
    return found && strcmp(scenario_section((size_t)(found - run)), "output") != 0;
}

static int add(struct forwarded_options *p, const char *word, const char *value, struct err *e)
{
    if (p->options == PASSED_ON_MAX)
        return err_set(e, "%.60s: at most %d options; the rest belongs in a scenario", word,
                       PASSED_ON_MAX);
    char *text = NULL;
    int n = asprintf(&text, "%s%s%s", word, value ? "=" : "", value ? value : "");
    CHECK(n > 0);
    p->option[p->options++] = text;
    return 0;
}

int forwarded_options_read(struct forwarded_options *p, const struct command_line *line,
                           bool (*keeps_back)(const void *ctx, const char *name), const void *ctx,
                           struct err *e)
{
    const int argc = line->argc;
    char *const *argv = line->argv;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char name[64];
        size_t length = strcspn(argv[i], "=");
        if (strncmp(argv[i], "--", 2) != 0 || length - 2 >= sizeof name)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)length - 2, argv[i] + 2);
        const struct opt *option = opts_find(line->table, line->options, name);
        CHECK(option);
        bool takes =
            argv[i][length] != '=' && opts_takes(option, i + 1 < argc ? argv[i + 1] : NULL);
        const char *word = argv[i], *value = takes ? argv[++i] : NULL;
        if (!is_of_a_run(name) || (keeps_back && keeps_back(ctx, name)))
            continue;
        if (add(p, word, value, e) != 0)
            return -1;
    }
    return 0;
}

void forwarded_options_free(struct forwarded_options *p)
{
    for (int i = 0; i < p->options; i++)
        free(p->option[i]);
    *p = (struct forwarded_options){.options = 0};
}
