/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include "base/clock.h"
#include "catalog.h"
#include "cmdline.h"
#include "report/document.h"
#include "report/figures.h"
#include "report/sections.h"

#include <inttypes.h>
#include <string.h>

/* ---- the run's own command ---- */

static int read_command(struct trials *t, const char *command, struct err *e)
{
    if (strstr(command, "$'"))
        return err_set(e, "its command has bytes that only a shell can read");
    if (words_split(command, NULL, &t->words, e) != 0)
        return -1;
    /* `./soak run SCENARIO ...`, or `./soak --OPTION ...` */
    int skip = t->words.count > 1 && strcmp(t->words.argv[1], "run") == 0;
    return chosen_read(&t->from, "run", t->words.count - skip, &t->words.argv[skip], e);
}

/* Where its folder is needed the file is named; any other can do without. */
static int find_bases(struct trials *t, struct err *e)
{
    char path[PATH_MAX];
    scenario_defaults(&t->alone.base);
    t->alone.file = t->by_file.file = NULL;
    if (!t->of->alone || !strstr(t->of->alone, "{here}") || strcmp(t->from.word, "default") == 0)
        return 0;
    t->by_file.file = t->from.word;
    scenario_defaults(&t->by_file.base);
    return catalog_path(t->from.word, path, sizeof path, e) == 0
               ? scenario_read(&t->by_file.base, path, e)
               : -1;
}

int trials_read(struct trials *t, const struct result *of, struct err *e)
{
    struct err first = {{0}};
    t->of = of;
    bool needs_file = of->alone && strstr(of->alone, "{here}");
    int rc = of->again ? read_command(t, of->again, &first) : -1;
    if (rc != 0 && of->alone && !needs_file)
        rc = read_command(t, of->alone, e);
    else if (rc != 0)
        *e = first;
    if (!of->again && !of->alone)
        return err_set(e, "its document has no command");
    if (rc != 0)
        return -1;
    search_only_command(&t->from.scenario);
    return chosen_check(&t->from, e) == 0 ? find_bases(t, e) : -1;
}

/* ---- a command ---- */

int trial_write(const struct trial_command *c, const struct scenario *s, char *buf, size_t size)
{
    struct text text = text_into(buf, size);
    size_t count;
    const struct opt *option = scenario_options(&count);
    cmdline_program(&text);
    if (c->file) {
        text_add(&text, " run");
        cmdline_word(&text, c->file);
    }
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++) {
        bool said = c->says_churn && strcmp(option[i].name, "churn") == 0;
        if (said || (search_is_of_command(i) && !cmdline_is_same(&c->base, s, i)))
            cmdline_option(&text, s, i);
    }
    text_add(&text, " --seed %" PRIx64, s->seed);
    return text.cut ? -1 : 0;
}

/* ---- the same leak ---- */

static bool is_same_place(const struct result_site *a, const struct result_site *b)
{
    if (!a->file || !b->file)
        return !a->file && !b->file && a->kind == b->kind;
    return strcmp(a->file, b->file) == 0 && a->line == b->line;
}

bool trial_is_same(const struct result *of, const struct result *r)
{
    const struct result_subject *lead = parts_lead(of), *subject = parts_lead(r);
    const struct result_site *site = lead ? parts_guilty(lead) : NULL;
    const struct result_site *found = subject ? parts_guilty(subject) : NULL;
    if (r->verdict != VERDICT_LEAK || !lead || !subject ||
        subject != result_subject_find(r, lead->name))
        return false;
    if (!site || !found)
        return subject->judgement.verdict == VERDICT_LEAK && !site && !found;
    return is_same_place(site, found);
}

char *trial_site(const struct result *r, char *buf, size_t size)
{
    const struct result_subject *lead = parts_lead(r);
    const struct result_site *site = lead ? parts_guilty(lead) : NULL;
    if (site && site->file)
        return text_clean(figure_place(buf, size, site->file, site->line));
    snprintf(buf, size, "%s", "the heap, outside OpenSSL");
    return buf;
}

/* ---- a run ---- */

static void say(struct trials *t, const struct scenario *s, bool shown)
{
    char command[TRIAL_COMMAND];
    if (!t->progress || trial_write(&t->alone, s, command, sizeof command) != 0)
        return;
    fprintf(t->progress, "soak: run %" PRIu64 ": %s %s\n", t->done,
            shown ? "still shown by " : "not shown by   ", command);
}

/* What a first run that couldn't begin has said; a later one was only asked for too little. */
static void note_silence(struct trials *t, const struct run_process_result *run)
{
    if (t->any_started)
        return;
    t->code = run->exit_code;
    snprintf(t->said, sizeof t->said, "%s", run->said);
}

static bool is_shown(struct trials *t, struct run_process_result *run, uint64_t *closed)
{
    struct err e;
    struct document *d = run->document ? document_read(run->document, &e) : NULL;
    if (!d) {
        note_silence(t, run);
        return false;
    }
    t->any_started = true;
    t->said[0] = '\0';
    bool same = trial_is_same(t->of, &d->result);
    if (!same && d->result.verdict == VERDICT_LEAK && !t->other[0])
        trial_site(&d->result, t->other, sizeof t->other);
    *closed = d->result.run.closed;
    document_free(d);
    return same;
}

enum trial trial_run(void *owner, const struct scenario *s, uint64_t *ret_closed)
{
    static struct words words; /* large */
    struct trials *t = owner;
    char command[TRIAL_COMMAND];
    struct run_process_result run;
    struct err e;
    struct trial_command c = t->by_file.file ? t->by_file : t->alone;
    c.says_churn = true; /* runs of soak have another of their own */
    if (trial_write(&c, s, command, sizeof command) != 0 ||
        words_split(command, NULL, &words, &e) != 0)
        return TRIAL_HIDES;
    int skip = c.file ? 2 : 1; /* the program, and `run` */
    if (run_process_execute(&t->sub, (const char *const *)&words.argv[skip], &run, &e) != 0) {
        if (!t->sub.interrupted && !t->any_started)
            snprintf(t->said, sizeof t->said, "%s", e.text);
        return TRIAL_STOPPED;
    }
    t->done++;
    bool shown = is_shown(t, &run, ret_closed);
    run_process_done(&t->sub, &run, false);
    say(t, s, shown);
    return shown ? TRIAL_SHOWS : TRIAL_HIDES;
}

bool trial_is_late(void *owner)
{
    const struct trials *t = owner;
    return clock_now_ns() >= t->deadline_ns;
}
