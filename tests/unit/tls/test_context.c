/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/context.h"

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

static void do_handshake_with(struct ends *f, struct context_server_options server,
                              struct context_client_options client, bool expected)
{
    SSL_CTX *server_side = ends_server_ctx(f, server), *client_side = ends_client_ctx(client);
    ends_open(f, server_side, client_side);
    assert_int_equal(ends_do_handshake(f), expected);
    SSL_CTX_free(server_side);
    SSL_CTX_free(client_side);
}

static void the_version_asked_for_is_the_version_spoken(void **state)
{
    struct ends *f = *state;
    static const struct {
        enum tls_version server, client;
        int spoken; /* 0: no handshake */
    } row[] = {
        {TLS_1_3, TLS_1_3, TLS1_3_VERSION},
        {TLS_1_2, TLS_1_2, TLS1_2_VERSION},
        {TLS_ANY, TLS_1_2, TLS1_2_VERSION},
        {TLS_1_2, TLS_ANY, TLS1_2_VERSION},
        {TLS_ANY, TLS_ANY, TLS1_3_VERSION},
        {TLS_1_2, TLS_1_3, 0},
        {TLS_1_3, TLS_1_2, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        do_handshake_with(f, (struct context_server_options){.version = row[i].server},
                          (struct context_client_options){.version = row[i].client},
                          row[i].spoken != 0);
        if (row[i].spoken)
            assert_int_equal(SSL_version(f->server.ssl), row[i].spoken);
        ends_close(f);
    }
}

static bool resumes(struct ends *f, struct context_server_options o, enum tls_version v)
{
    o.version = v;
    SSL_CTX *server = ends_server_ctx(f, o);
    SSL_CTX *client = ends_client_ctx((struct context_client_options){.version = v});
    ends_open(f, server, client);
    assert_true(ends_do_handshake(f));
    SSL_SESSION *session = ends_session(f);
    ends_open(f, server, client);
    assert_true(SSL_set_session(f->client.ssl, session));
    assert_true(ends_do_handshake(f));
    bool reused = SSL_session_reused(f->server.ssl) == 1;
    SSL_SESSION_free(session);
    ends_close(f);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    return reused;
}

static void tickets_and_caches_resume_and_none_does_not(void **state)
{
    struct ends *f = *state;
    static const enum tls_version version[] = {TLS_1_2, TLS_1_3};
    struct context_server_options ticket = {.session = SESSION_TICKET};
    struct context_server_options cache = {.session = SESSION_CACHE, .cache_size = 10};
    struct context_server_options none = {.session = SESSION_NONE};
    for (int i = 0; i < 2; i++) {
        assert_true(resumes(f, ticket, version[i]));
        assert_true(resumes(f, cache, version[i]));
        assert_false(resumes(f, none, version[i]));
    }
}

static long cached_after(struct ends *f, enum session_kind session, int handshakes)
{
    struct context_server_options o = {
        .version = TLS_1_3, .session = session, .cache_size = 4, .identity = &f->identity};
    SSL_CTX *server = ends_server_ctx(f, o);
    SSL_CTX *client = ends_client_ctx((struct context_client_options){.version = TLS_1_3});
    for (int i = 0; i < handshakes; i++) {
        ends_open(f, server, client);
        assert_true(ends_do_handshake(f));
        SSL_SESSION_free(ends_session(f));
    }
    long cached = SSL_CTX_sess_number(server);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    return cached;
}

static void the_cache_stays_within_its_size(void **state)
{
    /* Some versions of OpenSSL evict one session early. */
    assert_in_range(cached_after(*state, SESSION_CACHE, 10), 3, 4);
}

static void tickets_fill_no_cache(void **state)
{
    assert_int_equal(cached_after(*state, SESSION_TICKET, 3), 0);
    assert_int_equal(cached_after(*state, SESSION_NONE, 3), 0);
}

static void the_servers_first_known_protocol_is_chosen(void **state)
{
    struct ends *f = *state;
    const unsigned char *chosen = NULL;
    unsigned int length = 0;
    do_handshake_with(f, (struct context_server_options){.version = TLS_ANY, .alpn = "b,aa"},
                      (struct context_client_options){.version = TLS_ANY, .alpn = "x,aa,b"}, true);
    SSL_get0_alpn_selected(f->client.ssl, &chosen, &length);
    assert_int_equal(length, 1);
    assert_memory_equal(chosen, "b", 1);
    ends_close(f);
}

static void no_protocol_in_common_ends_the_handshake(void **state)
{
    struct ends *f = *state;
    do_handshake_with(f, (struct context_server_options){.version = TLS_ANY, .alpn = "a"},
                      (struct context_client_options){.version = TLS_ANY, .alpn = "b"}, false);
    ends_close(f);
}

static void a_bad_protocol_list_is_refused_with_a_sentence(void **state)
{
    struct ends *f = *state;
    char too_long[400];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    const char *bad[] = {"", "a,,b", "a,", too_long};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SSL_CTX *ctx = NULL;
        struct err e = {""};
        struct context_client_options client = {.alpn = bad[i]};
        struct context_server_options server = {.identity = &f->identity, .alpn = bad[i]};
        assert_int_equal(context_client_new(&client, &ctx, &e), -1);
        assert_non_null(strstr(e.text, "protocol list"));
        assert_int_equal(context_server_new(&server, &ctx, &e), -1);
        assert_null(ctx);
    }
}

static void server_name_seen(SSL *ssl, int from_client, int type, const unsigned char *data,
                             int length, void *seen)
{
    (void)ssl;
    (void)from_client;
    (void)data;
    (void)length;
    if (type == TLSEXT_TYPE_server_name)
        *(bool *)seen = true;
}

static void a_server_name_is_acknowledged_only_when_asked(void **state)
{
    struct ends *f = *state;
    SSL_CTX *client = ends_client_ctx((struct context_client_options){.version = TLS_1_3});
    for (int accept = 0; accept < 2; accept++) {
        bool seen = false;
        SSL_CTX *server = ends_server_ctx(
            f, (struct context_server_options){
                   .version = TLS_1_3, .identity = &f->identity, .accept_sni = accept == 1});
        ends_open(f, server, client);
        assert_true(SSL_set_tlsext_host_name(f->client.ssl, "localhost"));
        SSL_set_tlsext_debug_callback(f->client.ssl, server_name_seen);
        SSL_set_tlsext_debug_arg(f->client.ssl, &seen);
        assert_true(ends_do_handshake(f));
        assert_int_equal(seen, accept == 1);
        ends_close(f);
        SSL_CTX_free(server);
    }
    SSL_CTX_free(client);
}

/* A memory file with the PEM text, as the orchestrator hands it over. */
static int memory_file(char *pem, char *path, size_t size)
{
    int fd = memfd_create("pem", MFD_CLOEXEC);
    assert_true(fd >= 0 && pem);
    assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
    snprintf(path, size, "/proc/self/fd/%d", fd);
    free(pem);
    return fd;
}

static void a_required_client_certificate_is_required(void **state)
{
    struct ends *f = *state;
    char ca_path[64], cert_path[64], bad_path[64];
    struct identity good = {0}, bad = {0};
    assert_int_equal(identity_make(KEY_P256, "client", &f->authority, &good, NULL), 0);
    assert_int_equal(identity_make(KEY_P256, "client", NULL, &bad, NULL), 0);
    int ca = memory_file(identity_pem(&f->authority, false), ca_path, sizeof ca_path);
    int cert = memory_file(identity_pem(&good, true), cert_path, sizeof cert_path);
    int stranger = memory_file(identity_pem(&bad, true), bad_path, sizeof bad_path);
    const char *path[] = {cert_path, NULL, bad_path};
    for (int i = 0; i < 3; i++) {
        do_handshake_with(
            f, (struct context_server_options){.version = TLS_ANY, .client_ca_path = ca_path},
            (struct context_client_options){.version = TLS_1_2, .cert_path = path[i]}, i == 0);
        ends_close(f);
    }
    identity_fini(&good);
    identity_fini(&bad);
    close(ca);
    close(cert);
    close(stranger);
}

static void a_missing_file_is_named_in_the_sentence(void **state)
{
    struct ends *f = *state;
    SSL_CTX *ctx = NULL;
    struct err e = {""};
    struct context_server_options server = {.identity = &f->identity,
                                            .client_ca_path = "/no/such/ca.pem"};
    struct context_client_options client = {.cert_path = "/no/such/cert.pem"};
    assert_int_equal(context_server_new(&server, &ctx, &e), -1);
    assert_non_null(strstr(e.text, "/no/such/ca.pem: "));
    assert_int_equal(context_client_new(&client, &ctx, &e), -1);
    assert_non_null(strstr(e.text, "/no/such/cert.pem: "));
    assert_null(ctx);
    assert_int_equal(ERR_peek_error(), 0);
}

static void the_oldest_error_is_told_and_the_queue_is_empty_after(void **state)
{
    (void)state;
    char text[128];
    ERR_clear_error();
    assert_null(BIO_new_file("/no/such/file", "r"));
    assert_int_not_equal(ERR_peek_error(), ERR_peek_last_error());
    assert_string_equal(context_error(text, sizeof text), "No such file or directory");
    assert_int_equal(ERR_peek_error(), 0);
    assert_string_equal(context_error(text, sizeof text), "OpenSSL gave no reason");
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        CLAIM(the_version_asked_for_is_the_version_spoken),
        CLAIM(tickets_and_caches_resume_and_none_does_not),
        CLAIM(the_cache_stays_within_its_size),
        CLAIM(tickets_fill_no_cache),
        CLAIM(the_servers_first_known_protocol_is_chosen),
        CLAIM(no_protocol_in_common_ends_the_handshake),
        CLAIM(a_bad_protocol_list_is_refused_with_a_sentence),
        CLAIM(a_server_name_is_acknowledged_only_when_asked),
        CLAIM(a_required_client_certificate_is_required),
        CLAIM(a_missing_file_is_named_in_the_sentence),
        CLAIM(the_oldest_error_is_told_and_the_queue_is_empty_after),
    };
    return cmocka_run_group_tests(tests, ends_setup, ends_teardown);
}
