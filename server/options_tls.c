/* SPDX-License-Identifier: Apache-2.0 */
/* What can't go together in TLS. */
#include "options.h"

#include "options/ciphers.h"
#include "options/limits.h"

#include <string.h>

static int check_client_auth(const struct options *o, struct err *e)
{
    static const char *const kind[] = {"none", "request", "require", "later"};
    if (o->client_auth && !o->client_ca)
        return err_set(e, "--client-auth %s: also needs --client-ca PATH", kind[o->client_auth]);
    if (!o->client_auth && o->client_ca)
        return err_set(e, "--client-ca: has a meaning only with --client-auth require");
    if (o->client_auth == CLIENT_AUTH_LATER && o->tls == TLS_1_2)
        return err_set(e, "--client-auth later: TLS 1.2 asks in the handshake only");
    return 0;
}

static int check_tickets(const struct options *o, struct err *e)
{
    const char *name = o->ticket_callback ? "ticket-callback" : "ticket-rotate";
    if (o->tickets > LIMIT_TICKETS)
        return err_set(e, "--tickets %d: at most %d", o->tickets, LIMIT_TICKETS);
    if (o->session_timeout_ns % OPTIONS_SECOND_NS ||
        o->session_timeout_ns / OPTIONS_SECOND_NS > INT32_MAX)
        return err_set(e, "--session-timeout: whole seconds, such as 300s");
    if (!o->ticket_callback && !o->ticket_rotate)
        return 0;
    if (o->session != SESSION_TICKET)
        return err_set(e, "--%s: there are tickets only with --session ticket", name);
    if (o->early_data)
        return err_set(e,
                       "--%s: with --early-data sessions are kept by the server, and no ticket is "
                       "decrypted",
                       name);
    return 0;
}

static int check_early_data(const struct options *o, struct err *e)
{
    if (o->early_data > INT32_MAX)
        return err_set(e, "--early-data: at most %d bytes", INT32_MAX);
    if (o->early_data && o->tls == TLS_1_2)
        return err_set(e, "--early-data: TLS 1.2 has none");
    if (o->early_data && o->session == SESSION_NONE)
        return err_set(e, "--early-data: it needs sessions: --session ticket or cache");
    return 0;
}

static int check_ciphers(const struct options *o, struct err *e)
{
    if (!o->ciphers)
        return 0;
    if (o->psk)
        return err_set(e, "--ciphers: --psk chooses its own; leave one of them out");
    if (o->tls == TLS_1_2 && !ciphers_name(o->ciphers, false))
        return err_set(e, "--ciphers %s: none is of TLS 1.2", o->ciphers);
    if (o->tls == TLS_1_3 && !ciphers_name(o->ciphers, true))
        return err_set(e, "--ciphers %s: none is of TLS 1.3, whose names begin with TLS_",
                       o->ciphers);
    return 0;
}

int options_check_tls(const struct options *o, struct err *e)
{
    if (o->record_padding > LIMIT_PADDING)
        return err_set(e, "--record-padding %d: at most %d bytes", o->record_padding,
                       LIMIT_PADDING);
    if (o->record_padding && o->tls == TLS_1_2)
        return err_set(e, "--record-padding: TLS 1.2 has none");
    if (o->renegotiation && o->tls == TLS_1_3)
        return err_set(e, "--renegotiation: TLS 1.3 has none");
    if (o->sni_unknown == SNI_UNKNOWN_WARN && o->tls == TLS_1_3)
        return err_set(e, "--sni-unknown warn: TLS 1.3 has no warnings");
    if (check_client_auth(o, e) < 0 || check_tickets(o, e) < 0 || check_early_data(o, e) < 0)
        return -1;
    return check_ciphers(o, e);
}
