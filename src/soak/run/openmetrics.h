/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of a run for Prometheus, and whoever else scrapes them: --metrics.
 */
#ifndef SOAK_OPENMETRICS_H
#define SOAK_OPENMETRICS_H

#include "live.h"

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* The document of OpenMetrics 1.0 (the text format of Prometheus with a stricter form); free. */
char *openmetrics_write(const struct live_facts *facts);

#endif
