/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of clients: what a server's SSL object makes of each kind. */
#include "tls/client_certs.h"
#include "tls_ends.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOTHING = CLIENT_CERT_KIND_COUNT };

static const enum tls_version versions[] = {TLS_1_2, TLS_1_3};

struct room {
    struct ends *ends;
    struct client_certs *certs;
    char authority[64], *clients; /* a path, the text */
    int authority_fd;
};

/* A memory file with the text, as the orchestrator hands it over. */
static int memory_file(const char *text, char *path, size_t size)
{
    int fd = memfd_create("pem", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    snprintf(path, size, "/proc/self/fd/%d", fd);
    return fd;
}

static int read_text(const char *text, struct client_certs **ret, struct err *e)
{
    char path[64];
    int fd = memory_file(text, path, sizeof path);
    int rc = client_certs_read(path, ret, e);
    close(fd);
    return rc;
}

static int setup(void **state)
{
    struct room *r = calloc(1, sizeof *r);
    void *ends = NULL;
    char *authority = NULL;
    assert_non_null(r);
    ends_setup(&ends);
    r->ends = ends;
    assert_int_equal(client_certs_make(&authority, &r->clients, NULL), 0);
    r->authority_fd = memory_file(authority, r->authority, sizeof r->authority);
    assert_int_equal(read_text(r->clients, &r->certs, NULL), 0);
    free(authority);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct room *r = *state;
    void *ends = r->ends;
    ends_teardown(&ends);
    client_certs_free(r->certs);
    close(r->authority_fd);
    free(r->clients);
    free(r);
    return 0;
}

static SSL_CTX *server_ctx(struct room *r, enum tls_version version,
                           const struct context_features *features)
{
    return ends_server_ctx(r->ends, (struct context_server_options){.version = version,
                                                                    .client_ca_path = r->authority,
                                                                    .features = features});
}

/* One handshake in which the client shows this kind, or NOTHING. */
static bool show(struct room *r, enum tls_version version, enum client_auth auth, int kind)
{
    struct ends *f = r->ends;
    struct context_features features = {.tickets = 2, .client_auth = auth};
    SSL_CTX *server = server_ctx(r, version, &features);
    SSL_CTX *client = ends_client_ctx((struct context_client_options){.version = version});
    ends_open(f, server, client);
    if (kind != NOTHING)
        assert_int_equal(client_certs_show(r->certs, (enum client_cert_kind)kind, f->client.ssl),
                         0);
    bool finished = ends_do_handshake(f);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    return finished;
}

static void each_kind_ends_as_the_server_must_end_it(void **state)
{
    static const struct {
        int kind;
        long verified;
        int alert;
    } row[] = {
        {CLIENT_CERT_GOOD, X509_V_OK, 0},
        {CLIENT_CERT_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED},
        {CLIENT_CERT_UNKNOWN_CA, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, SSL_AD_UNKNOWN_CA},
        {CLIENT_CERT_LONG_CHAIN, X509_V_OK, 0},
        {CLIENT_CERT_OVER_LONG_CHAIN, X509_V_ERR_CERT_CHAIN_TOO_LONG, SSL_AD_UNKNOWN_CA},
    };
    struct room *r = *state;
    struct ends *f = r->ends;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        for (int v = 0; v < 4; v++) {
            enum client_auth auth = v / 2 ? CLIENT_AUTH_REQUIRE : CLIENT_AUTH_REQUEST;
            bool finished = show(r, versions[v % 2], auth, row[i].kind);
            assert_int_equal(SSL_get_verify_result(f->server.ssl), row[i].verified);
            assert_int_equal(finished, row[i].verified == X509_V_OK);
            assert_int_equal(f->client.alert, row[i].alert);
            ends_close(f);
        }
    }
}

static void the_chain_arrives_whole(void **state)
{
    struct room *r = *state;
    struct ends *f = r->ends;
    static const int length[] = {
        [CLIENT_CERT_GOOD] = 1, [CLIENT_CERT_LONG_CHAIN] = 1 + CLIENT_CERTS_LONG};
    for (int i = 0; i < 4; i++) {
        int kind = i / 2 ? CLIENT_CERT_LONG_CHAIN : CLIENT_CERT_GOOD;
        assert_true(show(r, versions[i % 2], CLIENT_AUTH_REQUIRE, kind));
        /* On the server's side the peer's own certificate isn't part of its chain. */
        X509 *own = SSL_get1_peer_certificate(f->server.ssl);
        assert_int_equal(1 + sk_X509_num(SSL_get_peer_cert_chain(f->server.ssl)), length[kind]);
        assert_non_null(own);
        X509_free(own);
        ends_close(f);
    }
}

static void none_is_accepted_where_it_is_only_requested(void **state)
{
    struct room *r = *state;
    struct ends *f = r->ends;
    for (int i = 0; i < 2; i++) {
        assert_true(show(r, versions[i], CLIENT_AUTH_REQUEST, NOTHING));
        ends_close(f);
        assert_false(show(r, versions[i], CLIENT_AUTH_REQUIRE, NOTHING));
        assert_int_equal(f->client.alert, versions[i] == TLS_1_3 ? SSL_AD_CERTIFICATE_REQUIRED
                                                                 : SSL_AD_HANDSHAKE_FAILURE);
        ends_close(f);
    }
}

static void nothing_is_asked_for_without_client_auth(void **state)
{
    struct room *r = *state;
    for (int i = 0; i < 2; i++) {
        assert_true(show(r, versions[i], CLIENT_AUTH_NONE, CLIENT_CERT_GOOD));
        assert_null(SSL_get1_peer_certificate(r->ends->server.ssl));
        ends_close(r->ends);
    }
}

static void later_asks_after_the_handshake(void **state)
{
    struct room *r = *state;
    struct ends *f = r->ends;
    struct context_features features = {.tickets = 2, .client_auth = CLIENT_AUTH_LATER};
    SSL_CTX *server = server_ctx(r, TLS_1_3, &features);
    SSL_CTX *client = ends_client_ctx((struct context_client_options){.version = TLS_1_3});
    for (int good = 0; good < 2; good++) {
        ends_open(f, server, client);
        SSL_set_post_handshake_auth(f->client.ssl, 1);
        assert_int_equal(client_certs_show(r->certs, good ? CLIENT_CERT_GOOD : CLIENT_CERT_EXPIRED,
                                           f->client.ssl),
                         0);
        assert_true(ends_do_handshake(f));
        assert_null(SSL_get1_peer_certificate(f->server.ssl));
        assert_int_equal(SSL_verify_client_post_handshake(f->server.ssl), 1);
        assert_int_equal(SSL_do_handshake(f->server.ssl), 1);
        assert_int_equal(ends_do_handshake(f), good);
        assert_int_equal(SSL_get_verify_result(f->server.ssl),
                         good ? X509_V_OK : X509_V_ERR_CERT_HAS_EXPIRED);
        assert_int_equal(f->client.alert, good ? 0 : SSL_AD_CERTIFICATE_EXPIRED);
        ends_close(f);
    }
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static void a_context_shows_a_kind_unless_the_connection_shows_another_or_none(void **state)
{
    static const struct {
        int shown; /* -1: what the context has */
        long verified;
        bool seen;
    } row[] = {{-1, X509_V_OK, true},
               {CLIENT_CERT_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED, false},
               {NOTHING, X509_V_OK, false},
               {-1, X509_V_OK, true}};
    struct room *r = *state;
    struct ends *f = r->ends;
    struct context_features features = {.tickets = 2, .client_auth = CLIENT_AUTH_REQUEST};
    SSL_CTX *server = server_ctx(r, TLS_ANY, &features);
    SSL_CTX *client = ends_client_ctx((struct context_client_options){.version = TLS_ANY});
    assert_int_equal(client_certs_show_all(r->certs, CLIENT_CERT_GOOD, client), 0);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ends_open(f, server, client);
        if (row[i].shown == NOTHING)
            client_certs_show_none(f->client.ssl);
        else if (row[i].shown >= 0)
            assert_int_equal(
                client_certs_show(r->certs, (enum client_cert_kind)row[i].shown, f->client.ssl), 0);
        ends_do_handshake(f);
        X509 *seen = SSL_get1_peer_certificate(f->server.ssl);
        assert_int_equal(SSL_get_verify_result(f->server.ssl), row[i].verified);
        assert_int_equal(seen != NULL, row[i].seen);
        X509_free(seen);
        ends_close(f);
    }
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static void a_file_that_is_not_whole_is_refused_with_a_sentence(void **state)
{
    struct room *r = *state;
    static const struct {
        const char *find, *put, *said;
    } row[] = {
        {"kind expired", "kind expirex", "no such kind of certificate: kind expirex"},
        {"kind expired", "kind good\n#", "the kind 'good' is there twice"},
        {"kind long-chain", "kin! long-chain", "the kind 'long-chain' is missing"},
        {"PRIVATE KEY", "PRIVATE CAT", "the kind 'good' can't be read: "},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct client_certs *certs = NULL;
        struct err e = {""};
        char *text = strdup(r->clients);
        char *at = strstr(text, row[i].find);
        assert_true(at && strlen(row[i].put) <= strlen(row[i].find) + 1);
        memcpy(at, row[i].put, strlen(row[i].put));
        assert_int_equal(read_text(text, &certs, &e), -1);
        if (!strstr(e.text, row[i].said))
            fail_msg("%s", e.text);
        assert_null(certs);
        free(text);
    }
}

static void a_missing_file_is_named_in_the_sentence(void **state)
{
    struct client_certs *certs = NULL;
    struct err e = {""};
    (void)state;
    assert_int_equal(client_certs_read("/no/such/file", &certs, &e), -1);
    assert_string_equal(e.text, "/no/such/file: No such file or directory");
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        CLAIM(each_kind_ends_as_the_server_must_end_it),
        CLAIM(the_chain_arrives_whole),
        CLAIM(none_is_accepted_where_it_is_only_requested),
        CLAIM(nothing_is_asked_for_without_client_auth),
        CLAIM(later_asks_after_the_handshake),
        CLAIM(a_context_shows_a_kind_unless_the_connection_shows_another_or_none),
        CLAIM(a_file_that_is_not_whole_is_refused_with_a_sentence),
        CLAIM(a_missing_file_is_named_in_the_sentence),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
