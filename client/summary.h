/* SPDX-License-Identifier: Apache-2.0 */
/* What a run by hand prints at its end. */
#ifndef SOAK_CLIENT_SUMMARY_H
#define SOAK_CLIENT_SUMMARY_H

#include "page/page.h"

#include <stdint.h>
#include <stdio.h>

void summary_print(FILE *out, const struct page_app *app, uint64_t took_ns);

#endif
