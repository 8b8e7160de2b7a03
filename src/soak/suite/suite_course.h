/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one figure of a scenario went over its closed connections: what suite.json keeps of a run's
 * series, so that a table can show it without the run's folder. Pure.
 *
 * The figure: of OpenSSL's blocks, the allocated heap and RSS the first that grows, else the first
 * that the run has; of the subject that leaks, else of the first one. From the checkpoint that the
 * measuring begins at to the last measured one; of more than SUITE_COURSE that many, spread evenly
 * over their order, with the first and the last.
 */
#ifndef SOAK_SUITE_COURSE_H
#define SOAK_SUITE_COURSE_H

#include "suite.h"

#include <jansson.h>

/* Fills the entry's course from its run's result; none where the run has no two such checkpoints.
 * The entry has its subjects by then. */
void suite_course_take(struct suite *s, struct suite_entry *entry, const struct result *r);

/* null: there is none. */
json_t *suite_course_json(const struct suite_course *course);
/* NULL, as in documents of the releases before, and null leave it out. Returns 0 or -1. */
int suite_course_read(struct suite *s, struct suite_entry *entry, const json_t *value,
                      struct err *e);

/* `▁▂▃▅▇█ +3,750 blocks`: the figure at equal steps of closed connections, from its lowest to its
 * highest, and no higher than a hundredth of it is worth. "" without a course. Returns buf. */
char *suite_course_text(const struct suite_course *course, char *buf, size_t size);

#endif
