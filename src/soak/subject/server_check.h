/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only the server can tell, asked before a run: whether it starts on its libraries at all, its
 * OpenSSL takes the groups and ciphers, and the address is free.
 */
#ifndef SOAK_SERVER_CHECK_H
#define SOAK_SERVER_CHECK_H

#include "programs.h"

/* Runs `soak-server --check` when the scenario asks for something of that kind. Returns 0, or -1
 * with the server's sentence. */
int server_check(const struct programs *p, struct err *e);

#endif
