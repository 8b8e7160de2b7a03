/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/origin.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

void scenario_note(struct scenario_origin *o, size_t i, struct scenario_place place)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    CHECK(i < count);
    o->place[i] = place;
    for (size_t k = 0; options[i].type == OPT_WEIGHTS && k < count; k++)
        if (scenario_is_weight(k))
            o->place[k] = place;
}

static void note_command(void *ctx, size_t i)
{
    scenario_note(ctx, i, (struct scenario_place){.source = SCENARIO_COMMAND});
}

void scenario_note_command(struct scenario_origin *o, int argc, char *const *argv)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    opts_walk(options, count, argc, argv, note_command, o);
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
