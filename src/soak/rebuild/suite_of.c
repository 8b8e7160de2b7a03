/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_of.h"

#include "report/report.h"

#include <stdio.h>
#include <string.h>

/* What stands between the scenario and the seed in `./soak run NAME OPTIONS --seed SEED`; NULL: no
 * options were typed, or they aren't known. */
static const char *options_of(struct suite *s, const struct result *r)
{
    char text[1024];
    const char *word = r->again ? strstr(r->again, " run ") : NULL;
    const char *from = word ? strchr(word + 5, ' ') : NULL;
    const char *seed = from ? strstr(from, " --seed ") : NULL;
    if (!seed || seed == from)
        return NULL;
    snprintf(text, sizeof text, "%.*s", (int)(seed - from - 1), from + 1);
    return suite_text(s, text);
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
                            .seconds = r->run.seconds};
    entry->shard = 1;
    suite_judge(ret, entry, &run);
    ret->shard[0].libs = entry->libs;
}
