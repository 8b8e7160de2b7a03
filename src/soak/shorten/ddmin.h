/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delta debugging: the least part of a set that still shows what the whole set shows, by the ddmin
 * of A. Zeller and R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE
 * Transactions on Software Engineering 28(2), 2002, section 3. The part is 1-minimal: without any
 * one of its elements it no longer shows. Pure.
 */
#ifndef SOAK_DDMIN_H
#define SOAK_DDMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DDMIN_MOST = 64 };

/* A set is a bit for each of its elements. `shows` is asked of parts, never of the empty one or the
 * whole, which is taken to show. */
typedef bool (*ddmin_fn)(void *owner, uint64_t part);

/* The part of `whole` that is found. Asks at most n * n + 3 * n times for n elements. */
uint64_t ddmin(uint64_t whole, ddmin_fn shows, void *owner);

#endif
