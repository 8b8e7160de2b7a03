/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of the options that take one of several names. Each list is X(VALUE, "name"); its
 * enum, its names and the text that tables of options hold, `1.2|1.3|any`, come from it. And the
 * functions that read such a text; a | may end it, too. Pure.
 */
#ifndef SOAK_OPTIONS_CHOICES_H
#define SOAK_OPTIONS_CHOICES_H

#include "base/err.h"
#include "base/names.h"

#include <stddef.h>
#include <stdint.h>

/* The protocol version spoken. */
#define TLS_LIST(X) X(TLS_1_2, "1.2") X(TLS_1_3, "1.3") X(TLS_ANY, "any")

/* Protocols that begin in clear text and turn to TLS. */
#define STARTTLS_LIST(X)                                                                           \
    X(STARTTLS_NONE, "none")                                                                       \
    X(STARTTLS_POSTGRES, "postgres")                                                               \
    X(STARTTLS_MYSQL, "mysql")                                                                     \
    X(STARTTLS_SMTP, "smtp")                                                                       \
    X(STARTTLS_IMAP, "imap")                                                                       \
    X(STARTTLS_POP3, "pop3")                                                                       \
    X(STARTTLS_FTP, "ftp")                                                                         \
    X(STARTTLS_LDAP, "ldap")                                                                       \
    X(STARTTLS_XMPP, "xmpp")

#define KEY_LIST(X) X(KEY_P256, "p256") X(KEY_RSA2048, "rsa2048") X(KEY_BOTH, "both")

/* Of the server's processes, which may listen on a port together. */
#define PORT_USE_LIST(X) X(PORT_ALONE, "alone") X(PORT_FIRST, "first") X(PORT_JOIN, "join")

/* What the server offers for resumption. */
#define SESSION_LIST(X)                                                                            \
    X(SESSION_TICKET, "ticket") X(SESSION_CACHE, "cache") X(SESSION_NONE, "none")

/* What the server's callback says to a ticket that it can decrypt. */
#define TICKET_CALLBACK_LIST(X)                                                                    \
    X(TICKET_CALLBACK_NONE, "none")     /* there is no callback */                                 \
    X(TICKET_CALLBACK_RENEW, "renew")   /* resume, and send a new one */                           \
    X(TICKET_CALLBACK_IGNORE, "ignore") /* as if none had come */                                  \
    X(TICKET_CALLBACK_ABORT, "abort")   /* end the handshake */

#define CLIENT_AUTH_LIST(X)                                                                        \
    X(CLIENT_AUTH_NONE, "none")                                                                    \
    X(CLIENT_AUTH_REQUEST, "request") /* a certificate that is shown must be good */               \
    X(CLIENT_AUTH_REQUIRE, "require")                                                              \
    X(CLIENT_AUTH_LATER, "later") /* TLS 1.3: only when the server asks after the handshake */

/* The OCSP response that the server staples. */
#define OCSP_LIST(X)                                                                               \
    X(OCSP_NONE, "none")                                                                           \
    X(OCSP_GOOD, "good")   /* a signed response, "good" */                                         \
    X(OCSP_EMPTY, "empty") /* no octets at all */                                                  \
    X(OCSP_LARGE, "large") /* of the size in tls/identity.h */

#define SNI_UNKNOWN_LIST(X)                                                                        \
    X(SNI_UNKNOWN_ACCEPT, "accept") X(SNI_UNKNOWN_WARN, "warn") X(SNI_UNKNOWN_REFUSE, "refuse")

/* What is done on held connections; none: connections are replaced. */
#define OPERATE_LIST(X)                                                                            \
    X(OPERATE_NONE, "none")                                                                        \
    X(OPERATE_REQUEST, "request")         /* the message, echoed */                                \
    X(OPERATE_KEY_UPDATE, "key-update")   /* TLS 1.3: new keys on both sides, and the message */   \
    X(OPERATE_RENEGOTIATE, "renegotiate") /* TLS 1.2: another handshake, and the message */        \
    X(OPERATE_TICKET, "ticket")           /* TLS 1.3: the server is asked for a new ticket */

#define CTX_LIST(X)    X(CTX_SHARED, "shared") X(CTX_PER_CONNECTION, "per-connection")
#define MALLOC_LIST(X) X(MALLOC_JEMALLOC, "jemalloc") X(MALLOC_LIBC, "libc")
#define CLIENT_MALLOC_LIST(X)                                                                      \
    X(CLIENT_MALLOC_SAME, "same")                                                                  \
    X(CLIENT_MALLOC_JEMALLOC, "jemalloc") X(CLIENT_MALLOC_LIBC, "libc")
#define SIDE_LIST(X)  X(SIDE_SERVER, "server") X(SIDE_CLIENT, "client") X(SIDE_BOTH, "both")
#define COLOR_LIST(X) X(COLOR_AUTO, "auto") X(COLOR_ALWAYS, "always") X(COLOR_NEVER, "never")

#define CHOICE_PART(value, name) "|" name
/* A list's text, without the | before the first name. */
#define CHOICES(LIST) (&("" LIST(CHOICE_PART))[1])

enum tls_version { TLS_LIST(ENUM_ID) };
enum starttls_protocol { STARTTLS_LIST(ENUM_ID) STARTTLS_PROTOCOLS };
enum key_kind { KEY_LIST(ENUM_ID) };
enum session_kind { SESSION_LIST(ENUM_ID) };
enum ticket_callback { TICKET_CALLBACK_LIST(ENUM_ID) };
enum client_auth { CLIENT_AUTH_LIST(ENUM_ID) };
enum ocsp_kind { OCSP_LIST(ENUM_ID) };
enum sni_unknown { SNI_UNKNOWN_LIST(ENUM_ID) };
enum operation { OPERATE_LIST(ENUM_ID) OPERATIONS };
enum ctx_kind { CTX_LIST(ENUM_ID) };
enum malloc_kind { MALLOC_LIST(ENUM_ID) };
enum client_malloc { CLIENT_MALLOC_LIST(ENUM_ID) };
enum port_use { PORT_USE_LIST(ENUM_ID) };
enum fail_side { SIDE_LIST(ENUM_ID) };
enum color_when { COLOR_LIST(ENUM_ID) };

/* The name number `index` and its length, or NULL past the last. Borrowed; not terminated there. */
const char *choices_at(const char *choices, int index, size_t *ret_length);

/* The number of the name that is `text`, all `length` characters of it; or -1. */
int choices_find(const char *choices, const char *text, size_t length);

/* As they are typed. */
const char *operation_name(enum operation operation);
const char *tls_version_name(enum tls_version version);
const char *key_kind_name(enum key_kind kind);
const char *malloc_kind_name(enum malloc_kind kind);

/* The bugs that the server can have, by name: defects.def. Pure. */
enum defect_kind {
    DEFECT_NONE,
#define X(name, identifier, description) DEFECT_##identifier,
#include "options/defects.def"
#undef X
    DEFECT_KINDS
};

/* Reads NAME or NAME:1/N. Returns 0 or -1. */
int defect_parse(const char *text, enum defect_kind *ret_kind, uint64_t *ret_one_in, struct err *e);

#endif
