/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the server's context share. Private to this floor. */
#ifndef SOAK_TLS_CONTEXT_INTERNAL_H
#define SOAK_TLS_CONTEXT_INTERNAL_H

#include "tls/context.h"

/* `what: OpenSSL's reason`. Returns -1. */
int context_fail(struct err *e, const char *what);
/* The features of the context that `ssl` is in now, or NULL. */
const struct context_features *context_features_of(const SSL *ssl);

/* Each returns 0 or -1. */
int context_set_features(SSL_CTX *ctx, const struct context_server_options *o, struct err *e);
int context_set_tickets(SSL_CTX *ctx, const struct context_server_options *o, struct err *e);
int context_set_client_auth(SSL_CTX *ctx, const struct context_server_options *o, struct err *e);
void context_set_names(SSL_CTX *ctx);

#endif
