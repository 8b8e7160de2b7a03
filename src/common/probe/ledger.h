/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: every block that goes through the hooks carries a 16-byte header with its size, site
 * and birth epoch, so that a free needs no search. The counts go to the page, cell by cell.
 */
#ifndef SOAK_PROBE_LEDGER_H
#define SOAK_PROBE_LEDGER_H

#include "base/err.h"
#include "page/page.h"

#include <stdint.h>

/* Installs the hooks of OpenSSL. Before its first allocation. Returns 0 or -1. */
int ledger_start(struct page *page, struct err *e);

/* Makes libuv allocate through the ledger as site "libuv":0. After ledger_start and before the
 * first call into libuv. */
void ledger_start_libuv(void);

/* The site where a block of ours was allocated; 0 when `block` carries no header of ours. */
uint32_t ledger_site_of(const void *block);

#endif
