/* Names, staples, groups, ciphers, certificates of clients: what both SSL objects saw. */
#include "tls_ends.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const enum context_version versions[] = {CONTEXT_TLS_1_2, CONTEXT_TLS_1_3};

/* One handshake of a server with these features; `prepare` may touch the client before it. Both
 * contexts are gone afterwards, the SSL objects stay until ends_close. */
struct meeting {
    enum context_version version;
    struct context_features features;
    const char *alpn, *client_alpn, *client_ca;
    void (*prepare)(SSL *client, void *arg);
    void *arg;
};

static bool meet(struct ends *f, struct meeting *m)
{
    struct context_server_options server = {.version = m->version,
                                            .session = CONTEXT_TICKET,
                                            .alpn = m->alpn,
                                            .client_ca_path = m->client_ca,
                                            .accept_sni = true,
                                            .features = &m->features};
    struct context_client_options client = {.version = m->version, .alpn = m->client_alpn};
    SSL_CTX *server_side = ends_server_ctx(f, server), *client_side = ends_client_ctx(client);
    ends_open(f, server_side, client_side);
    if (m->prepare)
        m->prepare(f->client.ssl, m->arg);
    bool finished = ends_shake(f);
    SSL_CTX_free(server_side);
    SSL_CTX_free(client_side);
    return finished;
}

/* ---- names ---- */

static void ask_for_name(SSL *client, void *name)
{
    assert_true(SSL_set_tlsext_host_name(client, name));
}

static void the_other_name_gets_the_other_context(void **state)
{
    static const char *const names[] = {"localhost", CONTEXT_OTHER_NAME, "neither.localhost"};
    struct ends *f = *state;
    struct identity identity = {0};
    assert_int_equal(identity_make(IDENTITY_P256, CONTEXT_OTHER_NAME, NULL, &identity, NULL), 0);
    for (size_t i = 0; i < 6; i++) {
        struct meeting m = {.version = versions[i / 3],
                            .features = CONTEXT_FEATURES_PLAIN,
                            .prepare = ask_for_name,
                            .arg = (void *)(uintptr_t)names[i % 3]};
        SSL_CTX *other = ends_server_ctx(
            f, (struct context_server_options){
                   .version = m.version, .identity = &identity, .features = &m.features});
        m.features.other = other;
        assert_true(meet(f, &m));
        X509 *shown = SSL_get1_peer_certificate(f->client.ssl);
        bool switched = SSL_get_SSL_CTX(f->server.ssl) == other;
        assert_int_equal(switched, i % 3 == 1);
        assert_int_equal(X509_cmp(shown, switched ? identity.cert : f->identity.cert), 0);
        X509_free(shown);
        ends_close(f);
        SSL_CTX_free(other);
    }
    identity_fini(&identity);
}

static void an_unknown_name_is_answered_as_asked(void **state)
{
    static const struct {
        enum context_version version;
        enum context_unknown_name answer;
        bool finished;
        int alert;
    } row[] = {
        {CONTEXT_TLS_1_2, CONTEXT_NAME_ACCEPT, true, 0},
        {CONTEXT_TLS_1_3, CONTEXT_NAME_ACCEPT, true, 0},
        {CONTEXT_TLS_1_2, CONTEXT_NAME_WARN, true, SSL_AD_UNRECOGNIZED_NAME},
        /* TLS 1.3 has no warnings. */
        {CONTEXT_TLS_1_3, CONTEXT_NAME_WARN, true, 0},
        {CONTEXT_TLS_1_2, CONTEXT_NAME_REFUSE, false, SSL_AD_UNRECOGNIZED_NAME},
        {CONTEXT_TLS_1_3, CONTEXT_NAME_REFUSE, false, SSL_AD_UNRECOGNIZED_NAME},
    };
    struct ends *f = *state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct meeting m = {.version = row[i].version,
                            .features = {.tickets = 2, .unknown_name = row[i].answer},
                            .prepare = ask_for_name,
                            .arg = (void *)(uintptr_t) "nobody.localhost"};
        assert_int_equal(meet(f, &m), row[i].finished);
        assert_int_equal(f->client.alert, row[i].alert);
        ends_close(f);
        m.arg = (void *)(uintptr_t) "localhost";
        assert_true(meet(f, &m));
        assert_int_equal(f->client.alert, 0);
        ends_close(f);
    }
}

/* ---- the status of the certificate ---- */

static void ask_for_status(SSL *client, void *arg)
{
    (void)arg;
    SSL_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp);
}

/* What the client was stapled: its length, or -1 for nothing. */
static long stapled(struct ends *f, enum context_version version, const struct staple *staple,
                    const unsigned char **ret)
{
    struct meeting m = {.version = version,
                        .features = {.tickets = 2, .staple = staple},
                        .prepare = ask_for_status};
    assert_true(meet(f, &m));
    return SSL_get_tlsext_status_ocsp_resp(f->client.ssl, ret);
}

static void a_good_status_is_a_response_about_the_certificate(void **state)
{
    struct ends *f = *state;
    struct staple staple;
    assert_int_equal(staple_make(STAPLE_GOOD, &f->identity, &staple, NULL), 0);
    for (int i = 0; i < 2; i++) {
        const unsigned char *bytes;
        long length = stapled(f, versions[i], &staple, &bytes);
        assert_int_equal(length, staple.length);
        OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, length);
        OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
        OCSP_CERTID *id = OCSP_cert_to_id(NULL, f->identity.cert, f->identity.cert);
        int status = -1;
        assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
        assert_true(OCSP_resp_find_status(basic, id, &status, NULL, NULL, NULL, NULL));
        assert_int_equal(status, V_OCSP_CERTSTATUS_GOOD);
        OCSP_CERTID_free(id);
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(response);
        ends_close(f);
    }
    staple_fini(&staple);
}

static void a_large_status_arrives_whole(void **state)
{
    static const long expected[] = {STAPLE_TLS12_BYTES, STAPLE_LARGE_BYTES};
    struct ends *f = *state;
    struct staple staple;
    assert_int_equal(staple_make(STAPLE_LARGE, &f->identity, &staple, NULL), 0);
    for (int i = 0; i < 2; i++) {
        const unsigned char *bytes;
        long length = stapled(f, versions[i], &staple, &bytes);
        assert_int_equal(length, expected[i]);
        ASN1_OCTET_STRING *octets = d2i_ASN1_OCTET_STRING(NULL, &bytes, length);
        assert_non_null(octets);
        assert_int_equal(ASN1_STRING_length(octets), expected[i] - 4);
        ASN1_OCTET_STRING_free(octets);
        ends_close(f);
    }
    staple_fini(&staple);
}

static void nothing_is_stapled_without_a_staple(void **state)
{
    struct ends *f = *state;
    for (int i = 0; i < 2; i++) {
        const unsigned char *bytes;
        assert_int_equal(stapled(f, versions[i], NULL, &bytes), -1);
        ends_close(f);
    }
}

static void an_empty_status_is_sent_as_no_octets(void **state)
{
    struct ends *f = *state;
    struct staple staple;
    assert_int_equal(staple_make(STAPLE_EMPTY, &f->identity, &staple, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct meeting m = {.version = versions[i],
                            .features = {.tickets = 2, .staple = &staple},
                            .prepare = ask_for_status};
        bool fin = meet(f, &m);
        const unsigned char *bytes;
        print_message("fin %d alert c%d s%d len %ld\n", fin, f->client.alert, f->server.alert,
                      SSL_get_tlsext_status_ocsp_resp(f->client.ssl, &bytes));
        ends_close(f);
    }
    staple_fini(&staple);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        CLAIM(the_other_name_gets_the_other_context),
        CLAIM(an_unknown_name_is_answered_as_asked),
        CLAIM(a_good_status_is_a_response_about_the_certificate),
        CLAIM(a_large_status_arrives_whole),
        CLAIM(nothing_is_stapled_without_a_staple),
        CLAIM(an_empty_status_is_sent_as_no_octets),
    };
    return cmocka_run_group_tests(tests, ends_setup, ends_teardown);
}
