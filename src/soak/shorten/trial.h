/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of a search: the run that leaked, read again from its own command, and what each shorter
 * one comes to. Each has a folder of its own, which is removed.
 */
#ifndef SOAK_TRIAL_H
#define SOAK_TRIAL_H

#include "base/words.h"
#include "chosen.h"
#include "report/result.h"
#include "run_process.h"
#include "search.h"

enum { TRIAL_COMMAND = 4096 };

/* A command for people, and for the runs. */
struct trial_command {
    const char *file;     /* the scenario that it names; NULL: options alone */
    bool says_churn;      /* the rate too, where it is the usual one */
    struct scenario base; /* what it needn't say: the file's, or the usual */
};

struct trials {
    const struct result *of; /* borrowed: the run */
    struct words words;      /* of its command: what `from` points into */
    struct chosen from;
    struct trial_command alone, by_file; /* by_file.file NULL: options are all that it takes */
    struct run_process sub;              /* opened and closed by the caller */
    uint64_t deadline_ns, done;
    FILE *progress;   /* NULL: quiet */
    int code;         /* of a first run that left no result: its exit code */
    char said[512];   /* and its sentence; "": it left one */
    bool any_started; /* a run left its result */
    char other[512];  /* where the first run that leaked elsewhere did; "": none */
};

/* Reads the run's own command. Returns 0, or -1 with a sentence: it can't be run again. */
int trials_read(struct trials *t, const struct result *of, struct err *e);
/* Writes the command of a scenario. Returns 0, or -1 when it is too long. */
int trial_write(const struct trial_command *c, const struct scenario *s, char *buf, size_t size);
/* As search_asked.run and .is_late have it; `owner` is the struct trials. */
enum trial trial_run(void *owner, const struct scenario *s, uint64_t *ret_closed);
bool trial_is_late(void *owner);
/* Where the run leaks: `server/defect.c:78`. Returns buf. */
char *trial_site(const struct result *r, char *buf, size_t size);
/* Whether the leak that `r` is about is that of `of`: of the same subject, at the same place. One
 * that others go before isn't what whoever repeats the command is told of. */
bool trial_is_same(const struct result *of, const struct result *r);

#endif
