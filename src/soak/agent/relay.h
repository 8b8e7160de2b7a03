/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent at work: stands between its run and the soak-clients that it starts for it, hands their
 * control lines to and fro, and tells what they count. Of the run's words it obeys those of
 * docs/reference/protocol.md alone; the only program that it starts is its own soak-client, with no
 * option that names a file. Its clients end with it, and when the run does.
 */
#ifndef SOAK_RELAY_H
#define SOAK_RELAY_H

#include "base/err.h"

/* Takes the connected `fd`. Returns 0 when the run has said that it is over; -EINTR when it was
 * interrupted; else -1 with a sentence. */
int relay_run(int fd, const char *token, struct err *e);

#endif
