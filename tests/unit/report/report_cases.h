/* SPDX-License-Identifier: Apache-2.0 */
/* Results as runs leave them, for the tests of the reports. All data is static. */
#ifndef SOAK_TESTS_REPORT_CASES_H
#define SOAK_TESTS_REPORT_CASES_H

#include "report/result.h"

struct report_case {
    const char *name;
    void (*fill)(struct result *r); /* fills a zeroed result */
};

enum { REPORT_CASES = 25 };
extern const struct report_case report_cases[REPORT_CASES];

/* The case of that name; NULL when there is none. */
const struct report_case *report_case_find(const char *name);

#endif
