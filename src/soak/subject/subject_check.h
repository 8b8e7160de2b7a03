/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only server and client can tell, asked before a run: whether the server starts on its
 * libraries at all, its OpenSSL takes the groups and ciphers, and the address is free; whether the
 * client's OpenSSL can do any of the behaviours asked for.
 */
#ifndef SOAK_SUBJECT_CHECK_H
#define SOAK_SUBJECT_CHECK_H

#include "programs.h"

/* Runs `soak-server --check` and `soak-client --check` when the scenario asks for something of that
 * kind. Returns 0, or -1 with the program's sentence. */
int subject_check(const struct programs *p, struct err *e);

#endif
