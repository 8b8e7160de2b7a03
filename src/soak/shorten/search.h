/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shortest run that still shows a leak: with fewer connections, only the behaviours and the
 * options that it takes, and fewer connections open. Sets are made smaller by ddmin, numbers by
 * halving. Pure: what a run comes to is asked of a function.
 */
#ifndef SOAK_SEARCH_H
#define SOAK_SEARCH_H

#include "scenario/scenario.h"

#include <stddef.h>

enum trial { TRIAL_SHOWS, TRIAL_HIDES, TRIAL_STOPPED }; /* STOPPED: interrupted, or none began */

enum { SEARCH_RUNS_MOST = 500 };

struct search_asked {
    const struct scenario *from; /* borrowed: as the run was, without where its output goes */
    bool leaks[BEHAVIOUR_COUNT]; /* those that are known to leak; none: it isn't known */
    bool keeps_lists;            /* an option of a list can't be taken back */
    bool is_quick;               /* the run as it was takes no longer than it needs to be certain */
    size_t most;                 /* runs, the confirming one too: 2 to SEARCH_RUNS_MOST */
    bool (*is_late)(void *owner); /* asked before each run but those that confirm */
    enum trial (*run)(void *owner, const struct scenario *s, uint64_t *ret_closed);
    void *owner; /* borrowed */
};

struct search_found {
    struct scenario best; /* the shortest; of a leak that never showed again, as it was */
    uint64_t closed;      /* that its run closed */
    size_t runs;
    bool shown, confirmed; /* once; and a second time */
    bool stopped;          /* before the search had come to its end */
};

/* Fills `ret`. */
void search_shortest(const struct search_asked *asked, struct search_found *ret);

/* Whether the option, by its place in scenario_options, is one that a command of a run has: not
 * where output goes, what a suite expects, the seed, or a weight, which the mix has. */
bool search_is_of_command(size_t option);
/* Takes back, in a scenario, all that isn't. */
void search_only_command(struct scenario *s);

#endif
