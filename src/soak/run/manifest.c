/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include "base/clock.h"
#include "base/version.h"
#include "measure/proc.h"
#include "report/json_util.h"
#include "subject/environment.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *options_json(const struct scenario *s)
{
    size_t count;
    const struct opt *table = scenario_options(&count);
    json_t *options = json_object();
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++) {
        char text[OPTS_TEXT];
        json_object_set_new(options, table[i].name,
                            json_string(opts_print(&table[i], s, text, sizeof text)));
    }
    return options;
}

static json_t *libs_json(const struct run *r)
{
    json_t *libs = json_object();
    for (size_t i = 0; i < r->subjects.count; i++)
        json_object_set_new(libs, r->watched[i].subject->child.name,
                            json_string(r->watched[i].subject->libs));
    return libs;
}

static void add_variable(void *object, const char *variable)
{
    char name[256];
    size_t length = strcspn(variable, "=");
    snprintf(name, sizeof name, "%.*s", (int)length, variable);
    const char *value = variable + length + (variable[length] == '=');
    json_object_set_new(object, name, json_from_text(value));
}

/* Which of the caller's variables the children didn't get, and which they were given. */
static json_t *environment_json(const struct scenario *s)
{
    json_t *aside = json_object(), *passed = json_object();
    environment_set_aside(&s->env, add_variable, aside);
    for (size_t i = 0; i < s->env.count; i++)
        add_variable(passed, s->env.item[i]);
    return json_pack("{s:o,s:o}", "set_aside", aside, "passed_on", passed);
}

int manifest_write(struct run *r, struct err *e)
{
    char machine[256], seed[32], time_text[32];
    int cpus = 0;
    proc_machine(machine, sizeof machine, &cpus);
    snprintf(seed, sizeof seed, "%" PRIx64, r->seed);
    json_t *document =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:o,s:o,s:o}", "schema", "soak-manifest/1", "soak",
                  soak_version, "scenario", r->name, "written",
                  clock_utc(time_text, sizeof time_text, time(NULL)), "seed", seed, "kernel",
                  machine, "cpus", cpus, "libs", libs_json(r), "options", options_json(r->scenario),
                  "environment", environment_json(r->scenario));
    return run_dir_keep(&r->dir, "manifest.json", json_document(document), e);
}
