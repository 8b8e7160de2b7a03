/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts that the text report is put together from. Each prints whole lines of one thing, or
 * nothing when there is nothing to say.
 */
#ifndef SOAK_REPORT_SECTIONS_H
#define SOAK_REPORT_SECTIONS_H

#include "report/result.h"
#include "report/screen.h"

/* Where the text of a line begins, by verdict: the longest word of its report and two blanks. */
enum { PARTS_PASS_COLUMN = 20, PARTS_LEAK_COLUMN = 11, PARTS_DOUBT_COLUMN = 13 };
int parts_column(enum verdict verdict, const struct screen *s);

/* ---- what several parts look up ---- */

/* The subject that the report is about: the one that leaks, else the one that isn't clean, else the
 * first. NULL when there are none. */
const struct result_subject *parts_lead(const struct result *r);
/* The first finding that is a leak, or NULL. */
const struct result_site *parts_guilty(const struct result_subject *subject);
/* The first finding that couldn't be told, or NULL. */
const struct result_site *parts_doubt(const struct result_subject *subject);
/* Whether the blocks of a stack are those of the finding. */
bool parts_is_of(const struct result_stack *stack, const struct result_site *site);
/* Whether the leak may be entries of a session cache, which only soak's own programs tell of. */
bool parts_may_be_sessions(const struct result_subject *subject);
/* The stack with most survivors of this finding, or NULL. */
const struct result_stack *parts_stack_of(const struct result_subject *subject,
                                          const struct result_site *site);
/* `984/s of 1,000/s`. Returns buf. */
char *parts_rates(char *buf, size_t size, const struct result *r);
/* Of --loop: `8 runs of 28 to 222 connections (1,002 in 8.6s)`. Returns buf. */
char *parts_loop(char *buf, size_t size, const struct result *r);
/* `30 open`; "" where it isn't known. Returns buf. */
enum { PARTS_OPEN = 48 };
char *parts_open(const struct result *r, char *buf, size_t size);
/* Less than nine tenths of the asked rate were reached. */
bool parts_far_below(const struct result *r);

/* `a 32 B block per connection, 3,750 of 3,750; 939 MiB/day at 356/s`. Returns buf. */
char *parts_what(char *buf, size_t size, const struct result *r,
                 const struct result_subject *subject);

/* ---- lines ---- */

/* What, where, when and why of a leak. */
void parts_leak(const struct result *r, const struct result_subject *subject,
                const struct screen *s);
/* Which behaviour a leak follows; nothing when that isn't known. */
void parts_attribution(const struct result_subject *subject, const struct screen *s);
/* `clean 4,300, reset 2,600`: the sensitivity for each behaviour, or "". Returns buf. */
char *parts_attribution_sensitivity(char *buf, size_t size, const struct result_subject *subject);
/* Why there is no verdict, or none to trust, beyond what the headline says. */
void parts_reasons(const struct result *r, const struct result_subject *subject,
                   const struct screen *s);
/* What was seen where nothing grew and there is no verdict. */
void parts_seen(const struct result *r, const struct screen *s);
/* How little would have shown, and the load. */
void parts_shown(const struct result *r, const struct screen *s);
/* What a metric of the subject is called. */
const char *parts_label(const struct result_subject *subject, const struct judge_metric *m);
/* The metrics that have something to tell, each with its growth, limit and state. */
void parts_metrics(const struct result_subject *subject, const struct screen *s);
/* One line: those that are level, and how the other subject did when it is clean (NULL: not). */
void parts_level(const struct result_subject *subject, const struct result_subject *other,
                 const struct screen *s);
/* Every metric of the subject is level or wasn't judged; *ret_level are level. */
bool parts_all_level(const struct result_subject *subject, size_t *ret_level);
/* A metric that wasn't looked at, since the subject is seen from outside: it is 0 throughout. NULL:
 * false. */
bool parts_unseen(const struct judge_metric *m);
/* Nothing of the subject can be judged, since it is seen from outside; *ret_rows of its metrics
 * were looked at all the same. */
bool parts_outside(const struct result_subject *subject, size_t *ret_rows);
/* Notes, errors, the meter check, where the files are, what to type next. */
void parts_foot(const struct result *r, const struct screen *s);

#endif
