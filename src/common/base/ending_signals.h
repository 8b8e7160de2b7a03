/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signals by which a program is asked to end: Ctrl-C (SIGINT), SIGTERM, and SIGHUP of a
 * terminal that was closed. Held back while what was measured is written, so that none of it is
 * lost; what takes long meanwhile asks whether one is waiting.
 */
#ifndef SOAK_BASE_ENDING_SIGNALS_H
#define SOAK_BASE_ENDING_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>

enum { ENDING_SIGNALS = 3 };
extern const int ending_signal[ENDING_SIGNALS];

/* One that the caller of the program has it ignore stays ignored, so that nohup does what it says;
 * but for SIGINT, which a shell ignores in all that it starts in the background. */
bool ending_signal_is_ignored(int number);

/* Of the calling thread. */
void ending_signals_hold(void);
void ending_signals_release(void);

/* Whether one has come since they are held. */
bool ending_signals_waiting(void);

/* As write_all (base/memory_file.h), for what a program or person reads, who may not do so: holds
 * them meanwhile, and when one comes while the bytes aren't taken, the process ends with
 * EXIT_INTERRUPTED. What must not be lost is written before. */
int ending_signals_write(int fd, const char *bytes, size_t count);

#endif
