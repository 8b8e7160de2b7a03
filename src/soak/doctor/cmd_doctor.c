/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "archive/outputs.h"
#include "base/exit_codes.h"
#include "base/version.h"
#include "doctor.h"
#include "options/limits.h"
#include "report/screen.h"
#include "terminal.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { STATE_COLUMNS = 9, NAME_COLUMNS = 14 };

struct options {
    struct doctor_asked asked;
    const char *json;
};

static const struct opt table[] = {
    {"conns", OPT_COUNT, offsetof(struct options, asked.conns), "COUNT", NULL,
     "connections that the run is to hold open"},
    {"churn", OPT_RATE, offsetof(struct options, asked.churn), "RATE", NULL,
     "the rate that it is to reach, such as 1000/s or max"},
    {"json", OPT_OUTPUT, offsetof(struct options, json), "FILE", ".json",
     "write the findings as a JSON document, to stdout without FILE"},
};

static const struct options usual = {.asked = {.conns = 30, .churn = {.per_s = 1000}}};

const struct command doctor_command = {
    .name = "doctor",
    .run = cmd_doctor,
    .words = "[OPTIONS]",
    .line = "what this machine can do for a run",
    .about = "Looks at limits, ports, memory, clock and processors, preloads the probe into a "
             "program, and makes a trial run of some seconds at full speed. Prints a line for each "
             "finding: a failure, a warning or ok, and what to do about it.\n",
    .after = "Exit: 0 when a run can work, 1 when it can't, 2 usage, 130 interrupted.\n",
    .table = table,
    .options = sizeof table / sizeof *table,
    .defaults = &usual};

/* ---- text ---- */

static void print_finding(const struct finding *f, const struct screen *s)
{
    char word[64];
    struct screen_lead lead = {0, STATE_COLUMNS + NAME_COLUMNS, word, INK_NONE};
    snprintf(word, sizeof word, "%-*s%s", STATE_COLUMNS, doctor_state_name(f->state), f->name);
    screen_wrap(s, &lead, "%s", f->text);
    lead.word = "";
    if (f->mend[0])
        screen_wrap(s, &lead, "to mend: %s", f->mend);
}

/* What a run can't do without comes first. */
static void print_findings(const struct finding *f, size_t count, const struct screen *s)
{
    static const enum doctor_state order[] = {DOCTOR_FAILURE, DOCTOR_WARNING, DOCTOR_OK};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (size_t i = 0; i < count; i++)
            if (f[i].state == order[k])
                print_finding(&f[i], s);
}

static size_t count_of(const struct finding *f, size_t count, enum doctor_state state)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += f[i].state == state;
    return found;
}

static void print_sum(const struct finding *f, size_t count)
{
    size_t failures = count_of(f, count, DOCTOR_FAILURE);
    size_t warnings = count_of(f, count, DOCTOR_WARNING);
    printf("\n%s: %zu warning%s, %zu failure%s\n",
           failures ? "such a run can't work" : "a run can work", warnings,
           warnings == 1 ? "" : "s", failures, failures == 1 ? "" : "s");
}

/* ---- JSON ---- */

static json_t *document(const struct examination *x, const struct finding *f, size_t count)
{
    char rate[64];
    json_t *findings = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(findings, json_pack("{s:s,s:s,s:s,s:s?}", "name", f[i].name, "state",
                                                  doctor_state_name(f[i].state), "text", f[i].text,
                                                  "mend", f[i].mend[0] ? f[i].mend : NULL));
    return json_pack("{s:s,s:s,s:I,s:s,s:b,s:o}", "schema", "soak-doctor/1", "version",
                     soak_version, "conns", (json_int_t)x->asked.conns, "churn",
                     grammar_rate_print(rate, sizeof rate, x->asked.churn), "works",
                     count_of(f, count, DOCTOR_FAILURE) == 0, "findings", findings);
}

/* ---- the command ---- */

static int check(const struct options *o, struct err *e)
{
    if (o->asked.conns < 1 || o->asked.conns > LIMIT_CONNS)
        return err_set(e, "--conns: from 1 to %d", LIMIT_CONNS);
    return output_check("json", o->json, e);
}

/* Whether a run can work. */
static int tell(const struct examination *x, const char *json)
{
    struct finding finding[DOCTOR_FINDINGS_MAX];
    size_t count = doctor_judge(x, finding);
    bool works = count_of(finding, count, DOCTOR_FAILURE) == 0;
    if (json) {
        int code = command_document(&doctor_command, document(x, finding, count), json);
        if (code != 0)
            return code;
    }
    if (!output_is_stdout(json)) {
        struct report_style style = terminal_style(stdout, COLOR_AUTO);
        struct screen screen = screen_of(stdout, &style);
        print_findings(finding, count, &screen);
        print_sum(finding, count);
    }
    return works ? EXIT_PASS : EXIT_FOUND;
}

int cmd_doctor(int argc, char *const *argv)
{
    static struct examination x;
    struct err e = {{0}};
    struct options o = usual;
    int code = command_parse(&doctor_command, argc, argv, &o);
    if (code >= 0)
        return code;
    if (check(&o, &e) != 0)
        return command_refuse(&doctor_command, &e);
    if (command_is_unbuilt())
        return EXIT_UNBUILT;
    x.asked = o.asked;
    doctor_facts_read("", &x.facts);
    doctor_try(&x.asked, &x.tried);
    int rc = doctor_trial_run(&x.asked, &x.tried.trial, &e);
    if (rc == -EINTR)
        return command_ended(&doctor_command, rc, &e);
    if (rc != 0) {
        x.tried.trial.exit_code = EXIT_CANNOT_START;
        snprintf(x.tried.trial.said, sizeof x.tried.trial.said, "%s", e.text);
    }
    return tell(&x, o.json);
}
