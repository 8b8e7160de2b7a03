/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jemalloc's heap profile, ruled by the `settle` line (docs/reference/protocol.md):
 *
 *   heap=start            from here on every allocation's stack is kept
 *   heap=dump file=PATH   writes the live ones to PATH
 *   heap=stop file=PATH   the same, and the end of it
 *
 * Without jemalloc, or one built without profiling, nothing is done and PATH stays empty.
 */
#ifndef SOAK_PROBE_HEAP_PROFILE_H
#define SOAK_PROBE_HEAP_PROFILE_H

/* Before the threads are told to flush: starts the profile if `line` asks for it, and keeps what it
 * asks for. One thread. */
void heap_profile_begin(const char *line);
/* After all threads have flushed, on the same thread: dumps. */
void heap_profile_end(void);
/* Each thread, at its flush: makes the profile exact from here on. */
void heap_profile_thread_flush(void);

#endif
