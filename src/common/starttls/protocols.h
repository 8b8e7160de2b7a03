/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocols that begin in clear text and turn to TLS: X(identifier, "name"). The name is the
 * value of --starttls; the order is that of enum starttls_protocol and of the option's choices.
 */
#ifndef SOAK_STARTTLS_PROTOCOLS_H
#define SOAK_STARTTLS_PROTOCOLS_H

#define STARTTLS_LIST(X)                                                                           \
    X(POSTGRES, "postgres")                                                                        \
    X(MYSQL, "mysql")                                                                              \
    X(SMTP, "smtp")                                                                                \
    X(IMAP, "imap")                                                                                \
    X(POP3, "pop3")                                                                                \
    X(FTP, "ftp")                                                                                  \
    X(LDAP, "ldap")                                                                                \
    X(XMPP, "xmpp")

#define STARTTLS_ENTRY(identifier, name)  STARTTLS_##identifier,
#define STARTTLS_CHOICE(identifier, name) "|" name

enum starttls_protocol { STARTTLS_NONE, STARTTLS_LIST(STARTTLS_ENTRY) STARTTLS_PROTOCOLS };

/* "none|postgres|...", for the tables of options. */
#define STARTTLS_CHOICES "none" STARTTLS_LIST(STARTTLS_CHOICE)

#endif
