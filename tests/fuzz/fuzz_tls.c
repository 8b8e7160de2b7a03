/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a peer into the server's OpenSSL, with the callbacks and the connection log that
 * soak-server has. The first byte says how: bit 0, TLS 1.2 or what both can; bit 1, that the rest
 * are the peer's bytes as they are, or that a true client's bytes are changed: each two bytes of
 * the rest are how far on, and what is turned over there; bit 2, that the server requires a
 * certificate, and the client shows one of the kind that the bits above it name.
 */
#include "base/memory_file.h"
#include "fuzz.h"
#include "server/conn_log.h"
#include "tls/client_certs.h"
#include "tls/context.h"
#include "tls/context_features.h"
#include "tls/identity.h"
#include "tls/wire.h"

#include <openssl/err.h>

enum { TURNS = 12, OF_TLS_1_2 = 1, ASKS_FOR_CERTIFICATE = 2, WAYS = 4 };
static struct {
    struct identity identity;
    SSL_CTX *server[WAYS], *client[WAYS];
    struct client_certs *certs;
    struct conn_log_file *log;
} g;

/* Its path is good as long as the process lives. */
static void put(const char *text, char path[FUZZ_PATH])
{
    int fd;
    struct err e;
    if (!text || memory_file_make("fuzz", text, &fd, &e) != 0)
        abort();
    snprintf(path, FUZZ_PATH, "/proc/self/fd/%d", fd);
}

static void make_contexts(const char *authority)
{
    static struct context_features features[2] = {{.client_auth = CLIENT_AUTH_NONE},
                                                  {.client_auth = CLIENT_AUTH_REQUIRE}};
    struct err e = {{0}};
    for (int i = 0; i < WAYS; i++) {
        enum tls_version version = i & OF_TLS_1_2 ? TLS_1_2 : TLS_ANY;
        bool asks = i & ASKS_FOR_CERTIFICATE;
        struct context_server_options server = {.version = version,
                                                .session = SESSION_TICKET,
                                                .identity = &g.identity,
                                                .client_ca_path = asks ? authority : NULL,
                                                .alpn = "h2,http/1.1",
                                                .accept_sni = true,
                                                .features = &features[asks]};
        struct context_client_options client = {.version = version, .alpn = "h2"};
        if (context_server_new(&server, &g.server[i], &e) != 0 ||
            context_client_new(&client, &g.client[i], &e) != 0)
            abort();
    }
}

static void begin(void)
{
    struct err e = {{0}};
    char *authority, *clients, authority_path[FUZZ_PATH], clients_path[FUZZ_PATH];
    if (identity_make(KEY_P256, "localhost", NULL, &g.identity, &e) != 0 ||
        client_certs_make(&authority, &clients, &e) != 0 ||
        conn_log_file_open("/dev/null", &g.log, &e) != 0)
        abort();
    put(authority, authority_path);
    put(clients, clients_path);
    free(authority);
    free(clients);
    if (client_certs_read(clients_path, &g.certs, &e) != 0)
        abort();
    make_contexts(authority_path);
}

/* Which of the contexts. */
static int way_of(const uint8_t *bytes)
{
    return (bytes[0] & 1 ? OF_TLS_1_2 : 0) | (bytes[0] & 4 ? ASKS_FOR_CERTIFICATE : 0);
}

struct side {
    struct wire_out out;
    struct wire wire;
    SSL *ssl;
};

static struct side server, client;

static void side_begin(struct side *s, SSL_CTX *ctx, bool is_server)
{
    s->out.used = 0;
    s->wire = (struct wire){.out = &s->out};
    s->ssl = wire_ssl_new(ctx, &s->wire, is_server);
    if (!s->ssl)
        abort();
}

/* Lets one end read what has come, and drops it. */
static void turn(struct side *s, const uint8_t *bytes, size_t count)
{
    char data[4096];
    s->wire.in = bytes;
    s->wire.in_left = count;
    while (SSL_read(s->ssl, data, sizeof data) > 0)
        ;
    ERR_clear_error();
}

/* Changes what the client says as the input wants, and hands it over. */
static void meddle(const uint8_t *bytes, size_t count)
{
    static uint8_t carried[2][WIRE_OUT_BYTES];
    size_t at = 0, used = 0;
    side_begin(&client, g.client[way_of(bytes)], false);
    enum client_cert_kind kind = (enum client_cert_kind)((bytes[0] >> 3) % CLIENT_CERT_KIND_COUNT);
    if (bytes[0] & 4 && client_certs_show(g.certs, kind, client.ssl) != 0)
        abort();
    turn(&client, NULL, 0);
    for (int i = 0; i < TURNS && client.out.used; i++) {
        size_t said = client.out.used;
        memcpy(carried[0], client.out.bytes, said);
        client.out.used = 0;
        for (; used + 2 < count && at + bytes[used + 1] < said; used += 2) {
            at += bytes[used + 1];
            carried[0][at] ^= bytes[used + 2];
        }
        at = at > said ? at - said : 0;
        turn(&server, carried[0], said);
        size_t answered = server.out.used;
        memcpy(carried[1], server.out.bytes, answered);
        server.out.used = 0;
        turn(&client, carried[1], answered);
        if (SSL_is_init_finished(client.ssl)) {
            SSL_write(client.ssl, "hello", 5);
            ERR_clear_error();
        }
    }
    SSL_free(client.ssl);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct err e = {{0}};
    if (count == 0)
        return 0;
    if (!g.log)
        begin();
    side_begin(&server, g.server[way_of(bytes)], true);
    struct conn_log *log = conn_log_new(g.log, 1);
    conn_log_attach(log, server.ssl);
    if (bytes[0] & 2) {
        char *copy = fuzz_text(bytes + 1, count - 1);
        turn(&server, (const uint8_t *)copy, count - 1);
        free(copy);
    } else {
        meddle(bytes, count);
    }
    conn_log_close(log, server.ssl, &e);
    SSL_free(server.ssl);
    ERR_clear_error();
    return 0;
}
