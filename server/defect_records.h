/* SPDX-License-Identifier: Apache-2.0 */
/* The store of the defect `fragment`: nothing is lost, but the few records that stay of each group
 * pin its pages. On any thread. */
#ifndef SOAK_SERVER_DEFECT_RECORDS_H
#define SOAK_SERVER_DEFECT_RECORDS_H

struct records;

struct records *records_new(void);
void records_free(struct records *r); /* NULL: nothing */
/* One more connection: every few of them a group is merged. */
void records_add(struct records *r);

#endif
