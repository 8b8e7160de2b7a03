/*
 * The parts that the text report is put together from. Each prints whole lines of one thing, or
 * nothing when there is nothing to say.
 */
#ifndef SOAK_REPORT_PARTS_H
#define SOAK_REPORT_PARTS_H

#include "report/result.h"
#include "report/screen.h"

/* Where the text of a line begins: in what is said of a leak, and below the tables. */
enum { PARTS_LEAK_COLUMN = 9, PARTS_FOOT_COLUMN = 15 };

/* The subject that the report is about: the one that leaks, else the one that isn't clean, else the
 * first. NULL when there are none. */
const struct result_subject *parts_lead(const struct result *r);

/* The one line that answers the question. */
void parts_headline(const struct result *r, const struct screen *s);
/* What, where, why and kind of a leak. */
void parts_leak(const struct result_subject *subject, const struct screen *s);
/* Where the survivors were allocated; nothing when no stacks were taken. */
void parts_stacks(const struct result_subject *subject, const struct screen *s);
/* The stack of a crash; nothing when there was none, or it isn't known. `column`: where the text
 * begins. */
void parts_crash(const struct result_crash *crash, int column, const struct screen *s);
/* Which behaviour a leak follows; nothing when that isn't known. */
void parts_when(const struct result_subject *subject, const struct screen *s);
/* `; clean 4,300, reset 2,600`: the sensitivity for each behaviour, or "". Returns buf. */
char *parts_when_sensitivity(char *buf, size_t size, const struct result_subject *subject);
/* Why there is no verdict, or none to trust. */
void parts_reasons(const struct result_subject *subject, const struct screen *s);
/* The metrics: start, end, growth, limit, state. */
void parts_metrics(const struct result_subject *subject, const struct screen *s);
/* One line instead of the table, for the subject that isn't in the lead. */
void parts_summary(const struct result_subject *subject, const struct screen *s);
/* What a connection allocates and holds, by soak-footprint; nothing for NULL. */
void parts_footprint(const struct footprint *f, const struct screen *s);
/* Sensitivity, cost, load, notes, where the files are, what to type next. */
void parts_foot(const struct result *r, const struct screen *s);

#endif
