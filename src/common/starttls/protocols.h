/*
 * The protocols that begin in clear text and turn to TLS: X(identifier, "name"). The name is the
 * value of --starttls; the order is that of enum prelude_protocol and of the option's choices.
 */
#ifndef SOAK_PRELUDE_PROTOCOLS_H
#define SOAK_PRELUDE_PROTOCOLS_H

#define PRELUDE_LIST(X)                                                                            \
    X(POSTGRES, "postgres")                                                                        \
    X(MYSQL, "mysql")                                                                              \
    X(SMTP, "smtp")                                                                                \
    X(IMAP, "imap")                                                                                \
    X(POP3, "pop3")                                                                                \
    X(FTP, "ftp")                                                                                  \
    X(LDAP, "ldap")                                                                                \
    X(XMPP, "xmpp")

#define PRELUDE_ENTRY(identifier, name)  PRELUDE_##identifier,
#define PRELUDE_CHOICE(identifier, name) "|" name

enum prelude_protocol { PRELUDE_NONE, PRELUDE_LIST(PRELUDE_ENTRY) PRELUDE_PROTOCOLS };

/* "none|postgres|...", for the tables of options. */
#define PRELUDE_CHOICES "none" PRELUDE_LIST(PRELUDE_CHOICE)

#endif
