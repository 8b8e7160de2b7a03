/* SPDX-License-Identifier: Apache-2.0 */
/* Names, staples, groups, ciphers, certificates of clients: what both SSL objects saw. */
#include "tls_ends.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const enum tls_version versions[] = {TLS_1_2, TLS_1_3};

/* One handshake of a server with these features; `prepare` may touch the client before it. Both
 * contexts are gone afterwards, the SSL objects stay until ends_close. */
struct meeting {
    enum tls_version version;
    struct context_features features;
    const char *alpn, *client_alpn;
    void (*prepare)(SSL *client, void *arg);
    void *arg;
};

static bool meet(struct ends *f, struct meeting *m)
{
    struct context_server_options server = {.version = m->version,
                                            .session = SESSION_TICKET,
                                            .alpn = m->alpn,
                                            .accept_sni = true,
                                            .features = &m->features};
    struct context_client_options client = {.version = m->version, .alpn = m->client_alpn};
    SSL_CTX *server_side = ends_server_ctx(f, server), *client_side = ends_client_ctx(client);
    ends_open(f, server_side, client_side);
    if (m->prepare)
        m->prepare(f->client.ssl, m->arg);
    bool finished = ends_do_handshake(f);
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
    assert_int_equal(identity_make(KEY_P256, CONTEXT_OTHER_NAME, NULL, &identity, NULL), 0);
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
        enum tls_version version;
        enum sni_unknown answer;
        bool finished;
        int alert;
    } row[] = {
        {TLS_1_2, SNI_UNKNOWN_ACCEPT, true, 0},
        {TLS_1_3, SNI_UNKNOWN_ACCEPT, true, 0},
        {TLS_1_2, SNI_UNKNOWN_WARN, true, SSL_AD_UNRECOGNIZED_NAME},
        /* TLS 1.3 has no warnings. */
        {TLS_1_3, SNI_UNKNOWN_WARN, true, 0},
        {TLS_1_2, SNI_UNKNOWN_REFUSE, false, SSL_AD_UNRECOGNIZED_NAME},
        {TLS_1_3, SNI_UNKNOWN_REFUSE, false, SSL_AD_UNRECOGNIZED_NAME},
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
static long stapled(struct ends *f, enum tls_version version, const struct staple *staple,
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
    assert_int_equal(staple_make(OCSP_GOOD, &f->identity, &f->identity, &staple, NULL), 0);
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
    assert_int_equal(staple_make(OCSP_LARGE, &f->identity, &f->identity, &staple, NULL), 0);
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

/* What the client reads in a handshake. */
struct read {
    int server_hellos;
    bool empty_status;
};

static void on_message(int written, int version, int type, const void *bytes, size_t length,
                       SSL *ssl, void *arg)
{
    static const unsigned char empty[] = {SSL3_MT_CERTIFICATE_STATUS, 0, 0, 4, 1, 0, 0, 0};
    struct read *seen = arg;
    (void)version;
    (void)ssl;
    if (written || type != SSL3_RT_HANDSHAKE || length == 0)
        return;
    seen->server_hellos += *(const unsigned char *)bytes == SSL3_MT_SERVER_HELLO;
    seen->empty_status |= length == sizeof empty && memcmp(bytes, empty, length) == 0;
}

static void ask_and_look(SSL *client, void *seen)
{
    ask_for_status(client, NULL);
    SSL_set_msg_callback(client, on_message);
    SSL_set_msg_callback_arg(client, seen);
}

/* RFC 6066 8 wants an octet at least: OpenSSL's clients end such a handshake. */
static void an_empty_status_is_sent_as_no_octets(void **state)
{
    struct ends *f = *state;
    struct staple staple;
    assert_int_equal(staple_make(OCSP_EMPTY, &f->identity, &f->identity, &staple, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct read seen = {0};
        struct meeting m = {.version = versions[i],
                            .features = {.tickets = 2, .staple = &staple},
                            .prepare = ask_and_look,
                            .arg = &seen};
        assert_false(meet(f, &m));
        assert_int_equal(f->server.alert, SSL_AD_INTERNAL_ERROR);
        /* In TLS 1.3 it stands within the Certificate message. */
        assert_int_equal(seen.empty_status, versions[i] == TLS_1_2);
        ends_close(f);
    }
    staple_fini(&staple);
}

/* ---- what is agreed on ---- */

static void no_protocol_in_common_is_told_by_its_alert(void **state)
{
    struct ends *f = *state;
    for (int i = 0; i < 2; i++) {
        struct meeting m = {.version = versions[i],
                            .features = CONTEXT_FEATURES_PLAIN,
                            .alpn = "h2,http/1.1",
                            .client_alpn = "mqtt"};
        assert_false(meet(f, &m));
        assert_int_equal(f->client.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
        ends_close(f);
    }
}

static void offer_groups(SSL *client, void *seen)
{
    assert_true(SSL_set1_groups_list(client, "X25519:P-256:P-384"));
    SSL_set_msg_callback(client, on_message);
    SSL_set_msg_callback_arg(client, seen);
}

static void a_group_without_a_key_share_is_asked_for_again(void **state)
{
    static const struct {
        const char *groups;
        int nid, server_hellos;
    } row[] = {
        {"X25519", NID_X25519, 1},
        {"P-384", NID_secp384r1, 2},
        {"P-256:P-384", NID_X9_62_prime256v1, 2},
    };
    struct ends *f = *state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct read seen = {0};
        struct meeting m = {.version = TLS_1_3,
                            .features = {.tickets = 2, .groups = row[i].groups},
                            .prepare = offer_groups,
                            .arg = &seen};
        assert_true(meet(f, &m));
        EVP_PKEY *key = NULL;
        assert_true(SSL_get_peer_tmp_key(f->client.ssl, &key));
        /* A HelloRetryRequest is a ServerHello on the wire. */
        assert_int_equal(seen.server_hellos, row[i].server_hellos);
        assert_int_equal(SSL_get_shared_group(f->server.ssl, 0), row[i].nid);
        EVP_PKEY_free(key);
        ends_close(f);
    }
}

static void only_rsa(SSL *client, void *arg)
{
    assert_true(SSL_set1_sigalgs_list(client, arg));
}

static void the_key_that_the_client_can_verify_is_shown(void **state)
{
    static const char *const algorithms[] = {"RSA-PSS+SHA256", "ECDSA+SHA256"};
    struct ends *f = *state;
    struct identity rsa = {0};
    assert_int_equal(identity_make(KEY_RSA2048, "localhost", NULL, &rsa, NULL), 0);
    for (int i = 0; i < 4; i++) {
        struct meeting m = {.version = versions[i / 2],
                            .features = {.tickets = 2, .second = &rsa},
                            .prepare = only_rsa,
                            .arg = (void *)(uintptr_t)algorithms[i % 2]};
        assert_true(meet(f, &m));
        X509 *shown = SSL_get1_peer_certificate(f->client.ssl);
        assert_int_equal(EVP_PKEY_base_id(X509_get0_pubkey(shown)),
                         i % 2 ? EVP_PKEY_EC : EVP_PKEY_RSA);
        X509_free(shown);
        ends_close(f);
    }
    identity_fini(&rsa);
}

static void the_cipher_is_one_of_those_named_for_the_version(void **state)
{
    static const struct {
        enum tls_version version;
        const char *list, *agreed;
    } row[] = {
        {TLS_1_3, "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
        {TLS_1_3, "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_256_GCM_SHA384"},
        {TLS_1_2, "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {TLS_1_2, "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {TLS_1_2, "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES256-SHA384"},
        {TLS_1_3, "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-SHA384", "TLS_AES_128_GCM_SHA256"},
    };
    struct ends *f = *state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct meeting m = {.version = row[i].version,
                            .features = {.tickets = 2, .ciphers = row[i].list}};
        assert_true(meet(f, &m));
        assert_string_equal(SSL_get_cipher_name(f->server.ssl), row[i].agreed);
        ends_close(f);
    }
}

static void a_list_that_openssl_does_not_know_is_refused(void **state)
{
    static const struct {
        struct context_features features;
        const char *said;
    } row[] = {
        {{.ciphers = "NO-SUCH-CIPHER"}, "NO-SUCH-CIPHER: can't set the ciphers of TLS 1.2: "},
        {{.ciphers = "TLS_AES_128_GCM_SHA256:TLS_NO_SUCH"},
         "no such cipher suite of TLS 1.3: TLS_NO_SUCH"},
        {{.groups = "P-256:no-such-group"},
         "P-256:no-such-group: can't set the groups: OpenSSL knows no group 'no-such-group'"},
        {{.groups = "P-256:X448:X25519:X448"}, "X448: can't set the groups: X448 is there twice"},
    };
    struct ends *f = *state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct err e = {""};
        SSL_CTX *ctx = NULL;
        struct context_server_options o = {.identity = &f->identity, .features = &row[i].features};
        assert_int_equal(context_server_new(&o, &ctx, &e), -1);
        if (!strstr(e.text, row[i].said))
            fail_msg("%s", e.text);
    }
}

/* OpenSSL passes over what it doesn't know when it knows another of the list. */
static void a_cipher_that_openssl_does_not_know_is_named(void **state)
{
    (void)state;
    static const char *const good[] = {"ECDHE-ECDSA-AES128-GCM-SHA256:!aNULL:-SHA1:@STRENGTH",
                                       "TLS_AES_128_GCM_SHA256, HIGH", ""};
    struct err e = {""};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(context_check_ciphers(good[i], &e), 0);
    assert_int_equal(context_check_ciphers("HIGH:NO-SUCH:LOW", &e), -1);
    assert_string_equal(e.text, "--ciphers HIGH:NO-SUCH:LOW: OpenSSL knows no cipher 'NO-SUCH'");
    assert_int_equal(ERR_peek_error(), 0);
}

static void renegotiation_happens_only_where_it_is_allowed(void **state)
{
    struct ends *f = *state;
    for (int allowed = 0; allowed < 2; allowed++) {
        struct read seen = {0};
        struct meeting m = {.version = TLS_1_2,
                            .features = {.tickets = 2, .renegotiation = allowed == 1},
                            .prepare = ask_and_look,
                            .arg = &seen};
        assert_true(meet(f, &m));
        assert_true(SSL_renegotiate(f->client.ssl));
        assert_int_equal(ends_do_handshake(f), allowed == 1);
        assert_int_equal(seen.server_hellos, 1 + allowed);
        assert_int_equal(f->client.alert, allowed ? 0 : SSL_AD_NO_RENEGOTIATION);
        ends_close(f);
    }
}

/* RFC 8446 5.2: a record's plain text ends by a byte of type; the cipher adds 16. */
static void padded_records_fill_their_blocks(void **state)
{
    enum { HEADER = 5, TAG = 16, MESSAGE = 100, TYPE = 1 };
    static const struct {
        int block;
        size_t plain;
    } row[] = {{0, MESSAGE + TYPE}, {64, 128}, {512, 512}, {4096, 4096}};
    struct ends *f = *state;
    static const char message[MESSAGE];
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct meeting m = {.version = TLS_1_3,
                            .features = {.tickets = 2, .padding_bytes = row[i].block}};
        assert_true(meet(f, &m));
        assert_int_equal(SSL_write(f->server.ssl, message, sizeof message), MESSAGE);
        assert_int_equal(f->server.out.used, HEADER + row[i].plain + TAG);
        ends_close(f);
    }
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
        CLAIM(no_protocol_in_common_is_told_by_its_alert),
        CLAIM(a_group_without_a_key_share_is_asked_for_again),
        CLAIM(the_key_that_the_client_can_verify_is_shown),
        CLAIM(the_cipher_is_one_of_those_named_for_the_version),
        CLAIM(a_list_that_openssl_does_not_know_is_refused),
        CLAIM(a_cipher_that_openssl_does_not_know_is_named),
        CLAIM(renegotiation_happens_only_where_it_is_allowed),
        CLAIM(padded_records_fill_their_blocks),
    };
    return cmocka_run_group_tests(tests, ends_setup, ends_teardown);
}
