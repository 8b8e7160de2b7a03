/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of a finished run, as far as the reports show them: samples.jsonl, a line each
 * (results/schema/soak-samples-1.schema.json). A line that can't be read, such as the last of a run
 * that was killed, is passed over.
 */
#ifndef SOAK_REPORT_SAMPLES_H
#define SOAK_REPORT_SAMPLES_H

#include "base/err.h"
#include "report/result.h"

#include <jansson.h>

enum sample_figure {
    SAMPLE_CLOSED,
    SAMPLE_OPENED,
    SAMPLE_FAILED,
    SAMPLE_BLOCKS,
    SAMPLE_BYTES,
    SAMPLE_ALLOCATED,
    SAMPLE_RSS,
    SAMPLE_FIGURES
};

struct sample {
    double seconds;                                 /* since the start of the run */
    double figure[RESULT_SUBJECTS][SAMPLE_FIGURES]; /* server, client; NAN: it has none */
};

/* More than a run leaves (sample_log.h): only a file of an older soak has so many. */
enum { SAMPLES_MOST = 1 << 14 };

struct samples {
    struct sample *sample; /* owned; in the order of time, those before the drain */
    size_t count, room;
    double span; /* they were thinned to; 0: never */
};

/* Adds a line of that file, unless it is none that the reports show. Of SAMPLES_MOST the half stays
 * that has the extremes of RSS (stats/thinning.h). */
void samples_add(struct samples *s, const json_t *line);
/* Reads `path` into `ret`; samples_free is due. Returns 0, or -1 when there is no such file. */
int samples_load(struct samples *ret, const char *path, struct err *e);
void samples_free(struct samples *s);

#endif
