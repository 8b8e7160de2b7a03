/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client authentication's certificates: an authority for the server and the clients' certificates
 * of every kind (tls/client_certs.h), made in memory and handed to the children as PEM memory
 * files, to each its own.
 */
#ifndef SOAK_PKI_H
#define SOAK_PKI_H

#include "base/err.h"

/* Writes the two memory files' descriptors (the caller closes them). Returns 0 or -1. */
int pki_make(int *ret_server_fd, int *ret_client_fd, struct err *e);

#endif
