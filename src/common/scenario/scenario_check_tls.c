/* SPDX-License-Identifier: Apache-2.0 */
/* What can't go together in TLS: told before anything starts. */
#include "scenario/scenario_check.h"

#include "options/ciphers.h"
#include "options/limits.h"
#include "starttls/starttls.h"

#include <string.h>

enum { LIST_LIMIT = 512, SECOND_NS = 1000000000 };

/* Each says which option is refused when the run speaks this version alone. */
static int check_version(const struct scenario *s, struct err *e)
{
    const struct {
        bool given;
        int version;
        const char *name, *said;
    } row[] = {
        {s->early_data, TLS_1_2, "early-data", "TLS 1.2 has none; give --tls 1.3"},
        {s->record_padding, TLS_1_2, "record-padding", "TLS 1.2 has none; give --tls 1.3"},
        {s->client_auth == CLIENT_AUTH_LATER, TLS_1_2, "client-auth",
         "TLS 1.2 asks in the handshake only; give --tls 1.3"},
        {s->renegotiation, TLS_1_3, "renegotiation", "TLS 1.3 has none; give --tls 1.2"},
        {s->sni_unknown == SNI_UNKNOWN_WARN, TLS_1_3, "sni-unknown",
         "TLS 1.3 has no warnings; give --tls 1.2, or refuse"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        if (row[i].given && s->tls == row[i].version)
            return scenario_refuse(s, row[i].name, e, "%s", row[i].said);
    }
    return 0;
}

static int check_tickets(const struct scenario *s, struct err *e)
{
    const char *name = s->ticket_callback ? "ticket-callback" : "ticket-rotate";
    if (s->tickets > LIMIT_TICKETS)
        return scenario_refuse(s, "tickets", e, "at most %d", LIMIT_TICKETS);
    if (s->tickets == 0 && s->resume > 0 && s->tls == TLS_1_3)
        return scenario_refuse(s, "tickets", e,
                               "there would be nothing to resume; leave out --resume");
    if (s->session_timeout_ns % SECOND_NS || s->session_timeout_ns / SECOND_NS > INT32_MAX)
        return scenario_refuse(s, "session-timeout", e, "whole seconds, such as 300s");
    if (s->ticket_callback == TICKET_CALLBACK_ABORT && s->resume > 0)
        return scenario_refuse(s, "resume", e,
                               "with --ticket-callback abort no such handshake would succeed; "
                               "leave one of the two out");
    if (s->ticket_callback == TICKET_CALLBACK_ABORT && s->operate == OPERATE_RENEGOTIATE)
        return scenario_refuse(s, "operate", e,
                               "it offers the ticket again, for which --ticket-callback abort ends "
                               "the connection; leave one of the two out");
    if (!s->ticket_callback && !s->ticket_rotate)
        return 0;
    if (s->session != SESSION_TICKET)
        return scenario_refuse(s, name, e, "there are tickets only with --session ticket");
    if (s->early_data)
        return scenario_refuse(s, name, e,
                               "with --early-data sessions are kept by the server, and no ticket "
                               "is decrypted; leave one of the two out");
    return 0;
}

static int check_early_data(const struct scenario *s, struct err *e)
{
    if (s->early_data > INT32_MAX)
        return scenario_refuse(s, "early-data", e, "less than 2GiB");
    if (s->early_data && s->session == SESSION_NONE)
        return scenario_refuse(s, "early-data", e,
                               "it needs sessions; give --session ticket or cache");
    return 0;
}

/* Names of a server that refuses others. */
static int check_names(const struct scenario *s, struct err *e)
{
    bool known = !s->sni || strcmp(s->sni, "localhost") == 0 ||
                 (s->sni_switch && strcmp(s->sni, "other.localhost") == 0);
    if (s->sni && !starttls_name_ok((enum starttls_protocol)s->starttls, s->sni))
        return scenario_refuse(s, "sni", e, "not a name that --starttls xmpp could ask for");
    if (s->sni_unknown == SNI_UNKNOWN_REFUSE && !known)
        return scenario_refuse(s, "sni", e,
                               "with --sni-unknown refuse no handshake would succeed; give "
                               "--sni localhost");
    return 0;
}

static int check_lists(const struct scenario *s, struct err *e)
{
    if (s->groups && strlen(s->groups) > LIST_LIMIT)
        return scenario_refuse(s, "groups", e, "at most %d bytes", LIST_LIMIT);
    if (!s->ciphers)
        return 0;
    if (strlen(s->ciphers) > LIST_LIMIT)
        return scenario_refuse(s, "ciphers", e, "at most %d bytes", LIST_LIMIT);
    if (s->psk)
        return scenario_refuse(s, "ciphers", e, "--psk chooses its own; leave one of the two out");
    if (s->tls == TLS_1_2 && !ciphers_name(s->ciphers, false))
        return scenario_refuse(s, "ciphers", e, "none is of TLS 1.2; leave out --tls 1.2");
    if (s->tls == TLS_1_3 && !ciphers_name(s->ciphers, true))
        return scenario_refuse(s, "ciphers", e,
                               "none is of TLS 1.3, such as TLS_AES_128_GCM_SHA256; or give "
                               "--tls 1.2");
    return 0;
}

int scenario_check_tls(const struct scenario *s, struct err *e)
{
    if (s->record_padding > LIMIT_PADDING)
        return scenario_refuse(s, "record-padding", e, "at most %d bytes", LIMIT_PADDING);
    if (check_version(s, e) < 0 || check_tickets(s, e) < 0 || check_early_data(s, e) < 0)
        return -1;
    return check_names(s, e) < 0 ? -1 : check_lists(s, e);
}
