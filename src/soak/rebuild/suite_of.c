/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_of.h"

#include "base/check.h"
#include "base/words.h"
#include "report/json_util.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *last_seed(const char *command)
{
    const char *last = NULL;
    for (const char *p = strstr(command, " --seed "); p; p = strstr(p + 1, " --seed "))
        last = p;
    return last;
}

/* Bytes of the word at `p`, as a shell reads them. */
static size_t word_length(const char *p)
{
    size_t i = 0;
    for (bool quoted = false; p[i] && (quoted || p[i] != ' '); i++) {
        if (p[i] == '\'')
            quoted = !quoted;
        else if (!quoted && p[i] == '\\' && p[i + 1])
            i++;
    }
    return i;
}

/* Whether they are one word, and that word quoted gives them again. */
static bool is_word(const char *quoted, struct words *ret)
{
    char again[SUITE_TEXT];
    struct err e;
    if (words_split(quoted, NULL, ret, &e) != 0 || ret->count != 1 || ret->argv[0][0] == '-')
        return false;
    struct text t = text_into(again, sizeof again);
    words_quote(&t, ret->argv[0]);
    return !t.cut && strcmp(again, quoted) == 0;
}

/* What follows `./soak run `, or whatever soak was called by; NULL: it is another command. */
static const char *run_of(const char *command)
{
    static const char run[] = " run ";
    const char *after = command ? command + word_length(command) : "";
    return strncmp(after, run, strlen(run)) == 0 ? after + strlen(run) : NULL;
}

/* The scenario of `./soak run SCENARIO OPTIONS --seed SEED`; where it can't be read, its name. */
static const char *file_of(struct suite *s, const struct result *r, const char *name)
{
    static struct words words; /* large */
    const char *word = run_of(r->again);
    char *quoted = word ? strndup(word, word_length(word)) : NULL;
    const char *file = quoted && is_word(quoted, &words) ? words.argv[0] : name;
    free(quoted);
    return suite_text(s, file);
}

/* What stands between the scenario and the seed in the same, "none" where that is nothing; NULL: it
 * isn't known. */
static const char *options_of(struct suite *s, const struct result *r)
{
    const char *word = run_of(r->again);
    const char *from = word ? word + word_length(word) : NULL;
    const char *seed = from ? last_seed(from) : NULL;
    if (!seed)
        return NULL;
    if (seed == from)
        return suite_text(s, "none");
    char *text = strndup(from + 1, (size_t)(seed - from - 1));
    CHECK(text);
    const char *options = words_are_quoted(text) ? suite_text(s, text) : NULL;
    free(text);
    return options;
}

/* What its scenario expects of it, as the folder's manifest has it; else a PASS. */
static const char *expect_of(struct suite *s, const char *folder)
{
    char path[PATH_MAX];
    const char *text = NULL;
    struct expect expect;
    struct err e;
    int n = snprintf(path, sizeof path, "%s/manifest.json", folder);
    json_t *root = n > 0 && (size_t)n < sizeof path ? json_load(path, &e) : NULL;
    bool right = json_read_text(json_object_get(root, "options"), "expect", &text, &e) == 0 &&
                 text && *text && expect_parse(text, &expect, NULL) == 0;
    const char *own = suite_text(s, right ? text : "pass");
    json_decref(root);
    return own;
}

void suite_of(struct suite *ret, const struct finished *f)
{
    char said[REPORT_HEADLINE + 32], headline[REPORT_HEADLINE];
    const struct result *r = &f->document->result;
    suite_init(ret);
    ret->shard[ret->shards++] = (struct suite_shard){.index = 1,
                                                     .of = 1,
                                                     .version = suite_text(ret, r->version),
                                                     .machine = suite_text(ret, r->kernel),
                                                     .host = suite_text(ret, r->host),
                                                     .started = suite_text(ret, r->time),
                                                     .options = options_of(ret, r),
                                                     .folder = suite_text(ret, r->run_dir),
                                                     .end = SUITE_END_ALL};
    const char *name = r->scenario ? r->scenario : "run";
    snprintf(said, sizeof said, "%s  %s", f->document->verdict,
             report_headline(r, headline, sizeof headline));
    suite_list(ret, name);
    struct suite_entry *entry = suite_add(ret, name);
    struct suite_run run = {.result = r,
                            .verdict = f->document->verdict,
                            .exit_code = r->exit_code,
                            .said = said,
                            .started = r->time,
                            .seconds = isfinite(r->run.seconds) ? r->run.seconds : 0};
    entry->shard = 1;
    entry->file = file_of(ret, r, name);
    entry->expect = expect_of(ret, f->folder);
    suite_judge(ret, entry, &run);
    ret->shard[0].libs = entry->libs;
}
