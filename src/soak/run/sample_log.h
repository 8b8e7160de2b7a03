/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples.jsonl as it grows: every line is appended as it comes. Those that come by the clock are
 * thinned, so that the file stays small however long the run is: when there are SAMPLE_LOG_MOST of
 * them, at most half are left, those of the last SAMPLE_LOG_RECENT_S and of the time before the
 * ones with the extremes of both programs' RSS (stats/thinning.h). Lines of checkpoints always
 * stay. The log knows where its lines lie and reads none of them; its memory doesn't grow.
 */
#ifndef SOAK_SAMPLE_LOG_H
#define SOAK_SAMPLE_LOG_H

#include "archive/run_dir.h"
#include "stats/thinning.h"

enum { SAMPLE_LOG_MOST = 8192, SAMPLE_LOG_RECENT_S = 600, SAMPLE_LOG_SIDES = THINNING_FIGURES };

struct sample_log;

/* What decides whether a line by the clock stays. */
struct sample_mark {
    double seconds;               /* since the start, not before the one before */
    double rss[SAMPLE_LOG_SIDES]; /* of each program; NAN: it wasn't there */
};

/* NULL: out of memory. */
struct sample_log *sample_log_new(void);
/* NULL is fine. */
void sample_log_free(struct sample_log *l);
/* Appends a line to the samples of `d`, always of the same one; `mark` NULL: it is never thinned.
 * Returns 0, or -1 when it can't be written, or the file not be thinned: then what it had is there
 * still. */
int sample_log_add(struct sample_log *l, struct run_dir *d, const char *line,
                   const struct sample_mark *mark, struct err *e);

#endif
