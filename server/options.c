/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "defect.h"
#include "listen.h"
#include "options/choices.h"
#include "options/limits.h"
#include "options/opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct options, name)

static const struct opt table[] = {
    {"listen", OPT_STRING, FIELD(listen), "ADDR:PORT", NULL,
     "where to accept, loopback only; port 0 lets the kernel choose (127.0.0.1:0)"},
    {"client-net", OPT_STRING, FIELD(client_net), "A.B.C.0", NULL,
     "serve only peers of this network, A.B.C.0/24, and count the others (everybody)"},
    {"tls", OPT_CHOICE, FIELD(tls), "VERSION", CHOICES(TLS_LIST), "version spoken (any)"},
    {"starttls", OPT_CHOICE, FIELD(starttls), "PROTOCOL", CHOICES(STARTTLS_LIST),
     "what is spoken in clear text before TLS (none)"},
    {"key", OPT_CHOICE, FIELD(key), "KIND", CHOICES(KEY_LIST), "keys made at start (p256)"},
    {"workers", OPT_INT, FIELD(workers), "N", NULL, "event loops, each a thread (1)"},
    {"session", OPT_CHOICE, FIELD(session), "KIND", CHOICES(SESSION_LIST),
     "how sessions are resumed (ticket)"},
    {"cache-size", OPT_COUNT, FIELD(cache_size), "COUNT", NULL,
     "sessions kept with --session cache (20480)"},
    {"session-timeout", OPT_DURATION, FIELD(session_timeout_ns), "DURATION", NULL,
     "how long a session can be resumed (0s: OpenSSL's 5m)"},
    {"tickets", OPT_INT, FIELD(tickets), "N", NULL, "tickets that follow a TLS 1.3 handshake (2)"},
    {"ticket-callback", OPT_CHOICE, FIELD(ticket_callback), "ANSWER", CHOICES(TICKET_CALLBACK_LIST),
     "what a callback says to a ticket that decrypts well (none: there is no callback)"},
    {"ticket-rotate", OPT_COUNT, FIELD(ticket_rotate), "COUNT", NULL,
     "change the ticket key after so many connections (0: never)"},
    {"early-data", OPT_SIZE, FIELD(early_data), "SIZE", NULL,
     "early data accepted from each connection (0B: none)"},
    {"psk", OPT_FLAG, FIELD(psk), NULL, NULL, "take the key that both ends know (tls/psk.h)"},
    {"ocsp", OPT_CHOICE, FIELD(ocsp), "KIND", CHOICES(OCSP_LIST),
     "status of the certificate, stapled when asked for (none)"},
    {"sni-switch", OPT_FLAG, FIELD(sni_switch), NULL, NULL,
     "another SSL_CTX and certificate for the name " CONTEXT_OTHER_NAME},
    {"sni-unknown", OPT_CHOICE, FIELD(sni_unknown), "ANSWER", CHOICES(SNI_UNKNOWN_LIST),
     "the answer to a name that isn't the server's (accept)"},
    {"groups", OPT_STRING, FIELD(groups), "A:B", NULL, "key exchange, best first (OpenSSL's)"},
    {"ciphers", OPT_STRING, FIELD(ciphers), "A:B", NULL,
     "ciphers of TLS 1.2 and suites of TLS 1.3 (OpenSSL's)"},
    {"renegotiation", OPT_FLAG, FIELD(renegotiation), NULL, NULL,
     "let TLS 1.2 clients renegotiate"},
    {"record-padding", OPT_INT, FIELD(record_padding), "BYTES", NULL,
     "TLS 1.3 records fill blocks of so many bytes (0: no padding)"},
    {"client-auth", OPT_CHOICE, FIELD(client_auth), "KIND", CHOICES(CLIENT_AUTH_LIST),
     "ask clients for a certificate; later: after the handshake, by a request (none)"},
    {"client-ca", OPT_STRING, FIELD(client_ca), "PATH", NULL,
     "PEM file with the authority of the clients"},
    {"alpn", OPT_STRING, FIELD(alpn), "A,B", NULL, "application protocols, best first"},
    {"handshake-timeout", OPT_DURATION, FIELD(handshake_timeout_ns), "DURATION", NULL,
     "longest handshake (10s; 0s: no limit)"},
    {"idle-timeout", OPT_DURATION, FIELD(idle_timeout_ns), "DURATION", NULL,
     "close a connection silent for so long (0s: never)"},
    {"ctx", OPT_CHOICE, FIELD(ctx), "KIND", CHOICES(CTX_LIST),
     "what connections are made of: one SSL_CTX or one each (shared)"},
    {"ctx-reload", OPT_COUNT, FIELD(ctx_reload), "COUNT", NULL,
     "replace the SSL_CTX after so many connections (0: never)"},
    {"emfile", OPT_COUNT, FIELD(emfile), "COUNT", NULL,
     "be short of files at every so-many-th accept (0: never)"},
    {"conns", OPT_COUNT, FIELD(conns), "COUNT", NULL,
     "connections open at once that tables have room for from the start (0)"},
    {"backlog", OPT_INT, FIELD(backlog), "N", NULL, "connections not yet accepted (4096)"},
    {"defect", OPT_STRING, FIELD(defect), "NAME[:1/N]", NULL,
     "have this bug, in one connection of N"},
    {"seed", OPT_STRING, FIELD(seed_text), "HEX", NULL, "for the choices made by chance (1)"},
    {"requests", OPT_FLAG, FIELD(requests), NULL, NULL,
     "obey messages such as `soak:close`: see docs/reference/protocol.md"},
    {"log", OPT_STRING, FIELD(log), "PATH", NULL,
     "append a line per closed connection: see docs/reference/connection-log.md"},
    {"control-fd", OPT_INT, FIELD(control_fd), "FD", NULL,
     "socket to soak: see docs/reference/protocol.md"},
    {"page-fd", OPT_INT, FIELD(page_fd), "FD", NULL, "the probe page's memory file"},
    {"no-ledger", OPT_FLAG, FIELD(no_ledger), NULL, NULL, "don't hook OpenSSL's allocations"},
    {"check", OPT_FLAG, FIELD(check), NULL, NULL,
     "see whether OpenSSL takes these options and the address is free, and exit"},
    {"help", OPT_FLAG, FIELD(help), NULL, NULL, "print this and exit"},
    {"version", OPT_FLAG, FIELD(version), NULL, NULL, "print the versions and exit"},
};
enum { TABLE = sizeof table / sizeof table[0] };

void options_help(FILE *out)
{
    fprintf(out, "usage: soak-server [options]\n\n"
                 "A TLS server that echoes, and publishes what its memory does.\n\n");
    opts_help(table, TABLE, NULL, out);
    fprintf(out, "\ndefects:\n");
#define X(name, identifier, description) fprintf(out, "  %-16s %s\n", name, description);
#include "options/defects.def"
#undef X
}

static int read_address(const char *text, struct address *ret, struct err *e)
{
    return address_parse(text, ret, e) == 0 ? 0 : err_prefix(e, "--listen %.100s", text);
}

static int read_client_net(const char *text, uint32_t *ret, struct err *e)
{
    struct in_addr address = {.s_addr = 0};
    if (text && (inet_pton(AF_INET, text, &address) != 1 || address.s_addr == 0 ||
                 ntohl(address.s_addr) % LISTEN_NET_ADDRESSES))
        return err_set(e, "--client-net %s: a network of 256 addresses, such as 127.1.2.0", text);
    *ret = ntohl(address.s_addr);
    return 0;
}

static int read_seed(const char *text, uint64_t *ret, struct err *e)
{
    char *end = NULL;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 16);
    if (errno || !*text || *end || strspn(text, "0123456789abcdefABCDEF") != strlen(text))
        return err_set(e, "--seed %s: up to 16 hexadecimal digits", text);
    *ret = seed;
    return 0;
}

static int check(const struct options *o, struct err *e)
{
    if (o->workers < 1 || o->workers > LIMIT_WORKERS)
        return err_set(e, "--workers %d: from 1 to %d", o->workers, LIMIT_WORKERS);
    if (o->backlog < 1)
        return err_set(e, "--backlog %d: at least 1", o->backlog);
    /* To OpenSSL 0 means a cache without bounds. */
    if (o->cache_size < 1 || o->cache_size > LIMIT_CACHE)
        return err_set(e, "--cache-size: from 1 to %d", LIMIT_CACHE);
    if (o->defect && defect_check(o->defect, e) < 0)
        return err_prefix(e, "--defect %s", o->defect);
    if (o->ctx_reload && o->ctx == CTX_PER_CONNECTION)
        return err_set(e, "--ctx-reload: has a meaning only with --ctx shared");
    if (o->emfile == 1)
        return err_set(e, "--emfile 1: no connection would ever be accepted; from 2");
    /* The limit is the process's: another worker's accept would meet it. */
    if (o->emfile && o->workers > 1)
        return err_set(e, "--emfile: only with --workers 1");
    return options_check_tls(o, e);
}

int options_parse(int argc, char *const *argv, struct options *ret, struct err *e)
{
    const char *rest[1];
    size_t rest_count = 0;
    struct options o = {.listen = "127.0.0.1:0",
                        .tls = TLS_ANY,
                        .workers = 1,
                        .backlog = 4096,
                        .control_fd = -1,
                        .page_fd = -1,
                        .seed_text = "1",
                        .tickets = 2,
                        .cache_size = 20480,
                        .handshake_timeout_ns = 10000000000u};
    if (opts_parse(table, TABLE, argc, argv, &o, rest, 1, &rest_count, e) < 0)
        return -1;
    if (rest_count > 0)
        return err_set(e, "%s: not an option; soak-server takes options only", rest[0]);
    if (read_address(o.listen, &o.address, e) < 0 || read_seed(o.seed_text, &o.seed, e) < 0 ||
        read_client_net(o.client_net, &o.client_net_from, e) < 0 || check(&o, e) < 0)
        return -1;
    *ret = o;
    return 0;
}
