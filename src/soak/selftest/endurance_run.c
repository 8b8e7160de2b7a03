/* SPDX-License-Identifier: Apache-2.0 */
#include "endurance_run.h"

#include "base/exit_codes.h"
#include "base/input.h"
#include "endurance.h"
#include "options/grammar.h"
#include "report/document.h"
#include "report/screen.h"
#include "terminal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One run, and what is to be said of it. */
struct endured {
    const struct result *result; /* borrowed */
    uint64_t asked;              /* connections */
    bool interrupted;
    enum endurance_state state;
    char text[512];
};

static int read_samples(struct endurance *e, const char *folder, struct err *err)
{
    char path[PATH_MAX], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%.3900s/samples.jsonl", folder);
    FILE *in = input_open(path, err);
    if (!in)
        return err_prefix(err, "%.300s", path);
    for (ssize_t n; (n = getline(&text, &size, in)) > 0;) {
        json_t *line = json_loadb(text, (size_t)n, 0, NULL);
        endurance_add(e, line);
        json_decref(line);
    }
    free(text);
    fclose(in);
    return 0;
}

/* The checkpoint before the first measured epoch: what is made once has been made by then. */
static size_t base_of(const struct result *r)
{
    size_t base = 0;
    for (size_t c = 0; c < r->subject[0].epochs && !r->subject[0].epoch[c].measured; c++)
        base = c;
    return base;
}

/* An error or a leak of the run is one of the harness, too. A run that saw too little for a verdict
 * doesn't show that it is flat, unless that was cut short. */
static int look(struct endured *d, struct err *e)
{
    const struct result *r = d->result;
    struct endurance seen = {.base = base_of(r)};
    if (read_samples(&seen, r->run_dir, e) != 0)
        return -1;
    d->state = endurance_judge(&seen, d->text, sizeof d->text);
    if (r->verdict == VERDICT_LEAK || r->run.errors.total)
        d->state = ENDURANCE_MOVED;
    else if (d->state == ENDURANCE_FLAT && r->verdict != VERDICT_PASS && !d->interrupted)
        d->state = ENDURANCE_TOO_SHORT;
    return 0;
}

static void print_line(const struct endured *d)
{
    static const char *const words[] = {[ENDURANCE_FLAT] = "flat",
                                        [ENDURANCE_MOVED] = "NOT FLAT",
                                        [ENDURANCE_TOO_SHORT] = "not shown"};
    const struct result *r = d->result;
    char closed[32], asked[32], of[48] = "";
    if (d->interrupted)
        snprintf(of, sizeof of, " of %s", human_count(asked, sizeof asked, (int64_t)d->asked));
    bool terminal = isatty(STDOUT_FILENO);
    const struct screen screen = {.out = stdout,
                                  .utf8 = true,
                                  .columns =
                                      terminal ? terminal_columns(STDOUT_FILENO) : SCREEN_TEXT};
    screen_wrap(&screen, &(struct screen_lead){.word = ""},
                "%s%s  %s%s connections, TLS 1.2 resumption: verdict %s, %" PRIu64 " error%s; %s",
                d->interrupted ? "interrupted, until then " : "", words[d->state],
                human_count(closed, sizeof closed, (int64_t)r->run.closed), of,
                verdict_name(r->verdict), r->run.errors.total, r->run.errors.total == 1 ? "" : "s",
                d->text);
}

/* What moved is told whatever became of the run after that. */
static int conclude(struct endured *d, const struct run_process_result *run, bool *ret_flat,
                    struct err *e)
{
    const char *why = run->said[0] ? run->said : "it left no result";
    bool broken = run->exit_code == EXIT_BROKEN || run->exit_code < 0;
    if (!d->result)
        return err_set(e, "%s", why);
    if (look(d, e) != 0)
        return -1;
    if (broken && d->state == ENDURANCE_FLAT)
        d->state = ENDURANCE_TOO_SHORT;
    print_line(d);
    *ret_flat = d->state == ENDURANCE_FLAT;
    return broken && d->state != ENDURANCE_MOVED ? err_set(e, "%s", why) : 0;
}

int endurance_run(struct run_process *sub, uint64_t connections, bool *ret_flat, struct err *e)
{
    char closed[32];
    const char *words[] = {"--tls",    "1.2",
                           "--resume", "100%",
                           "--mix",    "clean",
                           "--seed",   "1",
                           "--closed", grammar_count_print(closed, sizeof closed, connections),
                           NULL};
    struct run_process_result run;
    sub->in_order = true;
    if (run_process_execute(sub, words, &run, e) != 0)
        return -1;
    struct document *document = run.document ? document_read(run.document, NULL) : NULL;
    struct endured d = {.result = document ? &document->result : NULL,
                        .asked = connections,
                        .state = ENDURANCE_TOO_SHORT,
                        .interrupted = sub->interrupted};
    int rc = conclude(&d, &run, ret_flat, e);
    bool keep = !*ret_flat && !(d.interrupted && d.state == ENDURANCE_TOO_SHORT);
    if (keep)
        printf("kept: %s%s%s\n", run.folder, run.said[0] ? "; it said: " : "", run.said);
    fflush(stdout);
    document_free(document);
    run_process_done(sub, &run, keep);
    return rc;
}
