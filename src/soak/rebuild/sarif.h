/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), which
 * code scanning reads: a result for each site that leaks, or that couldn't be told. Pure.
 */
#ifndef SOAK_SARIF_H
#define SOAK_SARIF_H

#include "report/result.h"

/* The document; free. NULL when out of memory. */
char *sarif_document(const struct result *r);

#endif
