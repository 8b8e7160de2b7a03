/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-check's blocks: allocated through OpenSSL's own call, so that they take the real path of
 * a block. Which connection plants what follows from its ordinal alone, so that several threads
 * need no order among them.
 */
#ifndef SOAK_PROBE_PLANT_H
#define SOAK_PROBE_PLANT_H

#include "page/page.h"

#include <stddef.h>
#include <sys/types.h>

/* OpenSSL's CRYPTO_malloc and CRYPTO_free, as the process has them. */
struct plant_calls {
    void *(*malloc)(size_t size, const char *file, int line);
    void (*free)(void *block, const char *file, int line);
};

/* After the hooks, once. */
void plant_start(struct page *page, const struct plant_calls *calls);

/* What probe.h says of probe_on_connection and its siblings, on any thread of process `pid`. Where
 * several processes share the page (check.shared), what comes and goes must have one owner: the
 * first that is here. It goes by the ordinals of its own. */
void plant_on_connection(uint64_t nth, pid_t pid);
void plant_on_operation(uint64_t nth, pid_t pid);
void plant_on_drain(void);
/* Where the orchestrator counts the operations (PAGE_EPOCH_TURNS): those that haven't had their
 * turn have it now, if process `pid` is the owner. */
void plant_catch_up(pid_t pid);

/* This process is a forked child: the blocks that were planted are its parent's. */
void plant_forked(void);

#endif
