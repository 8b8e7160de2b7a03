/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_of.h"

#include "base/check.h"
#include "base/words.h"
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

/* What stands between the scenario and the seed in `./soak run NAME OPTIONS --seed SEED`, "none"
 * where that is nothing; NULL: it isn't known. */
static const char *options_of(struct suite *s, const struct result *r)
{
    const char *word = r->again ? strstr(r->again, " run ") : NULL;
    const char *from = word ? strchr(word + 5, ' ') : NULL;
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
    suite_judge(ret, entry, &run);
    ret->shard[0].libs = entry->libs;
}
