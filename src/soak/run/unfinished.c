/* SPDX-License-Identifier: Apache-2.0 */
#include "unfinished.h"

#include "options/grammar.h"
#include "outcome.h"
#include "report/document.h"

#include <stdio.h>
#include <stdlib.h>

/* As of a run that broke here: what was convicted stands, and nothing else is judged. */
static char *document_so_far(struct run *r, struct outcome *o)
{
    char count[32];
    uint64_t ended = run_ended(r);
    snprintf(r->broken, sizeof r->broken,
             "soak itself was ended, and the run with it, some time after %s %s",
             human_count(count, sizeof count, (int64_t)ended),
             ended == 1 ? unit_name(run_unit(r)) : unit_plural(run_unit(r)));
    outcome_so_far(o, r);
    char *text = document_write(&o->result);
    outcome_free(o);
    r->broken[0] = '\0';
    return text;
}

void unfinished_write(struct run *r)
{
    struct outcome *o = r->broken[0] ? NULL : calloc(1, sizeof *o);
    char *text = o ? document_so_far(r, o) : NULL;
    if (text)
        run_dir_note(&r->dir, DOCUMENT_UNFINISHED, text);
    free(text);
    free(o);
}

void unfinished_remove(struct run *r)
{
    run_dir_remove(&r->dir, DOCUMENT_UNFINISHED);
}
