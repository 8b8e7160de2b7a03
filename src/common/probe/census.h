/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The census: live OpenSSL objects by class, counted by the new and free callbacks that OpenSSL
 * runs for each class with extra data. Public API only. A copied object (SSL_SESSION_dup, X509_dup)
 * is announced like a new one, so the counts balance.
 */
#ifndef SOAK_PROBE_CENSUS_H
#define SOAK_PROBE_CENSUS_H

#include "base/err.h"
#include "page/page.h"

/* After ledger_start and before the first object. Returns 0 or -1. */
int census_start(struct page *page, struct err *e);

#endif
