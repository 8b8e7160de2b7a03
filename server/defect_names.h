/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the defect `table`, which reads like CVE-2022-1473: emptying it forgets to reset its
 * count, so that it is enlarged for entries that are long gone. One array, reallocated larger and
 * larger: the number of blocks stays. On any thread.
 */
#ifndef SOAK_SERVER_DEFECT_NAMES_H
#define SOAK_SERVER_DEFECT_NAMES_H

struct names;

struct names *names_new(void);
void names_free(struct names *n); /* NULL: nothing */
/* A connection's name comes and goes. */
void names_add(struct names *n);

#endif
