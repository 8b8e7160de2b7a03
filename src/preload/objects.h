/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes with OpenSSL's objects in a program that we don't build: the census, the count of
 * connections, which are SSL objects here, the self-check's plants and jemalloc's figures. These
 * are published whenever an SSL object is freed, and at any block while connections are held, as
 * long as that takes a hundredth of the time.
 */
#ifndef SOAK_PRELOAD_OBJECTS_H
#define SOAK_PRELOAD_OBJECTS_H

#include "find.h"

/* Once `lib` is hooked. */
void objects_start(struct page *page, const struct libcrypto *lib);

/* Blocks are counted, and no library tells of objects: connections are what the program accepts,
 * until objects_start. */
void objects_start_unseen(struct page *page);
/* The program has accepted a connection. */
void objects_accepted(void);

/* This process is a forked child. */
void objects_forked(void);

#endif
