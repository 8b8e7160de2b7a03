/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which behaviour of the peers a leak follows. Keeps the client's counts, chooses the mix of each
 * epoch, has the growth solved at every checkpoint, and holds what the two epochs of the
 * confirmation said. It knows no behaviour by itself: their names, order and weights are those in
 * the client's page.
 */
#ifndef SOAK_EVIDENCE_ATTRIBUTION_H
#define SOAK_EVIDENCE_ATTRIBUTION_H

#include "history.h"
#include "stats/attribution/attribution.h"
#include "stats/judge/plan.h"

struct attribution;

/* What is attributed, of each subject: borrowed, as are both for as long as the attribution lives.
 */
struct attribution_subject {
    const struct history *history;
    const struct judgement *judgement;
};
enum { ATTRIBUTION_SUBJECTS = 2 };

/* Returns NULL when out of memory; free() frees. */
struct attribution *attribution_new(const struct attribution_subject *subject, size_t subjects);
/* The client is ready: its behaviours are known. Returns how many are drawn. */
size_t attribution_start(struct attribution *a, const struct page *client);
/* What the client is told of the epoch that the plan's action begins, ` stay=1 mix=50,30,15,5`; no
 * mix: its own. Returns buf. */
const char *attribution_words(struct attribution *a, const struct plan_action *action, char *buf,
                              size_t size);
/* A checkpoint was added to the histories, at the end of the epoch of `step`: notes the counts. */
void attribution_keep(struct attribution *a, const struct page *client, enum plan_step step);
/* The subjects were judged: solves what leaks. */
void attribution_solve(struct attribution *a);
/* What the plan must know; `unit` is its own. */
void attribution_seen(const struct attribution *a, uint64_t unit, struct plan_seen *ret);

/* The behaviours that a leaking site's losses follow: "reset,half-close", or "all". False: that
 * isn't told, and buf is "". */
bool attribution_site(const struct attribution *a, size_t subject, size_t site, char *buf,
                      size_t size);
/* What was solved last of all that leaks in a subject; its shares are in the order of the names. */
const struct behaviours_answer *attribution_answer(const struct attribution *a, size_t subject);
/* The names are known for as many as this: 0 before the first checkpoint. */
size_t attribution_behaviours(const struct attribution *a);
const char *attribution_name(const struct attribution *a, size_t behaviour);
/* One lost block per so many of a behaviour's connections would have shown; 0: none would. */
double attribution_one_in(const struct attribution *a, size_t subject, size_t behaviour);

/* The epochs with the guilty behaviours alone, and without them. */
struct attribution_confirmation {
    struct behaviours_confirm alone, without;
    bool too_rare; /* so little was to be expected that it confirms nothing */
    bool confirmed;
};
/* Returns false, writing nothing, when there was nothing to confirm, not both epochs came to their
 * end, or others were blamed when they were run. */
bool attribution_confirmed(const struct attribution *a, size_t subject,
                           struct attribution_confirmation *ret);

#endif
