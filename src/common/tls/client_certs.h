/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates that clients may show: good ones and such as a server must refuse. Made once
 * per run as PEM text in two parts: the authority, for the server (`--client-ca`), and one text
 * with all kinds, for the client (`--client-certs`), a section for each:
 *
 *     kind good
 *     (PEM: the certificate, its key, its chain, the signer of each following it)
 *
 * The client reads it once per process; the result is only read afterwards, by any thread.
 */
#ifndef SOAK_TLS_CLIENT_CERTS_H
#define SOAK_TLS_CLIENT_CERTS_H

#include "base/err.h"
#include "base/names.h"

#include <openssl/ssl.h>

/* X(identifier, "name"), what each is: see client_certs_make. */
#define CLIENT_CERT_KINDS(X)                                                                       \
    X(CLIENT_CERT_GOOD, "good")                                                                    \
    X(CLIENT_CERT_EXPIRED, "expired")                                                              \
    X(CLIENT_CERT_UNKNOWN_CA, "unknown-ca")                                                        \
    X(CLIENT_CERT_LONG_CHAIN, "long-chain")                                                        \
    X(CLIENT_CERT_OVER_LONG_CHAIN, "over-long-chain")

enum client_cert_kind { CLIENT_CERT_KINDS(ENUM_ID) CLIENT_CERT_KIND_COUNT };

/* "good", ... */
const char *client_cert_kind_name(enum client_cert_kind kind);

enum {
    CLIENT_CERTS_LONG = 3,     /* certificates between that of LONG_CHAIN and the authority */
    CLIENT_CERTS_OVER_LONG = 7 /* of OVER_LONG_CHAIN: more than the server's verify depth */
};

/* Makes the texts. Returns 0 and two heap strings (free), or -1. */
int client_certs_make(char **ret_authority, char **ret_clients, struct err *e);

struct client_certs;

/* Reads the clients' text from a file. Returns 0 or -1; every kind must be there. */
int client_certs_read(const char *path, struct client_certs **ret, struct err *e);
void client_certs_free(struct client_certs *certs);

/* Makes this connection show a certificate of the kind, with its chain and key. Before the
 * handshake, or before a later request for it. Returns 0 or -1. */
int client_certs_show(const struct client_certs *certs, enum client_cert_kind kind, SSL *ssl);
/* Makes this connection show none, whatever its SSL_CTX has. */
void client_certs_show_none(SSL *ssl);
/* Makes every connection of the context show one of the kind, unless it says otherwise. Returns 0
 * or -1. */
int client_certs_show_all(const struct client_certs *certs, enum client_cert_kind kind,
                          SSL_CTX *ctx);

#endif
