/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a finished run to struct result: who is to blame, which exit code, what to type next.
 */
#ifndef SOAK_OUTCOME_H
#define SOAK_OUTCOME_H

#include "ending.h"
#include "report/footprint.h"
#include "report/result.h"
#include "run.h"
#include "survivors.h"

#include <limits.h>

enum {
    OUTCOME_TEXT = 512,
    OUTCOME_NOTE = 96,
    OUTCOME_LIBS = 4,
    OUTCOME_OWNERS = 6,
    OUTCOME_COMMAND = 4096
};

/* Everything that the result borrows; lives as long as the result is read. */
struct outcome {
    struct result result;
    struct result_site site[SUBJECTS_MAX][JUDGE_FINDINGS];
    struct result_census census[SUBJECTS_MAX][PAGE_CLASSES];
    struct result_series series[SUBJECTS_MAX][JUDGE_METRICS];
    struct judge_epoch epoch[SUBJECTS_MAX][PAGE_EPOCHS];
    int64_t born[SUBJECTS_MAX][JUDGE_FINDINGS][PAGE_EPOCHS];
    int64_t alive[SUBJECTS_MAX][RESULT_COURSES][PAGE_EPOCHS * (PAGE_EPOCHS + 1) / 2];
    struct result_size_class size_class[SUBJECTS_MAX][PAGE_SIZE_CLASSES];
    uint64_t closed[SUBJECTS_MAX][PAGE_EPOCHS];
    double value[SUBJECTS_MAX][JUDGE_METRICS][PAGE_EPOCHS];
    struct survivors survivors[SUBJECTS_MAX];
    struct result_attribution attribution[SUBJECTS_MAX];
    struct hist times;
    struct footprint footprint; /* all zero: not measured */
    char broken[ENDING_TEXT + 128];
    char site_attribution[SUBJECTS_MAX][JUDGE_FINDINGS][OUTCOME_TEXT];
    char time[32], host[HOST_NAME_MAX + 1], kernel[256];
    char lib_name[OUTCOME_LIBS][32], lib_version[OUTCOME_LIBS][64];
    struct result_process process[PROCESSES_KEPT];
    char process_name[PROCESSES_KEPT][16], process_flags[PROCESSES_KEPT][96];
    char process_libcrypto[PROCESSES_KEPT][PAGE_FILE_BYTES];
    struct symbol_owner owner[OUTCOME_OWNERS];
    char again[OUTCOME_COMMAND], alone[OUTCOME_COMMAND], next[3][OUTCOME_COMMAND];
    char next_note[3][OUTCOME_NOTE], missing[OUTCOME_TEXT];
    char ended[OUTCOME_NOTE], last_dir[PATH_MAX];
    char tls[16], key[16];
};

/* Fills `o` from a run that has ended. Borrows from `r`; outcome_free frees. */
void outcome_make(struct outcome *o, const struct run *r);
/* The same of a run under way, as far as its figures go: no names are looked up, nothing is
 * advised.
 */
void outcome_so_far(struct outcome *o, const struct run *r);
/* Measures what a connection costs, where the scenario asks for it and the run didn't break or end
 * by a signal. Returns 0, UV_EINTR when one came meanwhile, or -1. */
int outcome_footprint(struct outcome *o, const struct run *r, struct err *e);
void outcome_free(struct outcome *o);

/* Those of a program that isn't soak's: outcome_process.c. */
void outcome_processes(struct outcome *o, const struct run *r, struct result_subject *out);
/* What became of one subject: outcome_subject.c. The first leaves out what takes time: the names of
 * its call stacks, and each of its processes. */
void outcome_subject_figures(struct outcome *o, const struct run *r, size_t subject);
void outcome_subject(struct outcome *o, const struct run *r, size_t subject);

#endif
