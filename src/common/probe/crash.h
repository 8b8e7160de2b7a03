/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the process was when a signal ended it: the call stack goes into the page, which is shared
 * memory and outlives the process. The signal itself still ends it, and a core is still written.
 */
#ifndef SOAK_PROBE_CRASH_H
#define SOAK_PROBE_CRASH_H

#include "page/page.h"

/* Catches the signals by which programs crash. Once, by the main thread; its own stack may have run
 * out, so it gets another one for the handler. With a sanitizer, which tells more, nothing is done.
 */
void crash_start(struct page *page);

#endif
