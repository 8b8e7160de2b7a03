/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/identity.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct identity make(enum key_kind kind, const char *name, const struct identity *issuer)
{
    struct identity id = {0};
    struct err e;
    assert_int_equal(identity_make(kind, name, issuer, &id, &e), 0);
    assert_non_null(id.key);
    assert_non_null(id.cert);
    return id;
}

static void the_key_is_of_the_kind_asked_for(void **state)
{
    (void)state;
    struct identity p256 = make(KEY_P256, "localhost", NULL);
    struct identity rsa = make(KEY_RSA2048, "localhost", NULL);
    assert_int_equal(EVP_PKEY_base_id(p256.key), EVP_PKEY_EC);
    assert_int_equal(EVP_PKEY_bits(p256.key), 256);
    assert_int_equal(EVP_PKEY_base_id(rsa.key), EVP_PKEY_RSA);
    assert_int_equal(EVP_PKEY_bits(rsa.key), 2048);
    identity_fini(&p256);
    identity_fini(&rsa);
}

static void the_certificate_holds_its_own_key_and_name(void **state)
{
    (void)state;
    struct identity id = make(KEY_P256, "localhost", NULL);
    assert_int_equal(X509_check_private_key(id.cert, id.key), 1);
    assert_int_equal(
        X509_check_host(id.cert, "localhost", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 1);
    assert_int_equal(X509_check_host(id.cert, "elsewhere", 0, 0, NULL), 0);
    identity_fini(&id);
}

static void the_certificate_has_as_many_names_as_asked_for(void **state)
{
    (void)state;
    const struct identity_request request = {
        .common_name = "localhost", .address = "127.0.0.1", .names = 40};
    struct identity id;
    struct err e;
    assert_int_equal(identity_make_as(&request, &id, &e), 0);
    GENERAL_NAMES *names = X509_get_ext_d2i(id.cert, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 41);
    assert_int_equal(X509_check_host(id.cert, "name-00000039.example.org", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(id.cert, "name-00000040.example.org", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(id.cert, "127.0.0.1", 0), 1);
    GENERAL_NAMES_free(names);
    identity_fini(&id);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    char path[] = "/tmp/soak-identity-XXXXXX";
    struct identity id = make(KEY_P256, "localhost", NULL), again;
    struct err e;
    for (int with_key = 0; with_key < 2; with_key++) {
        char *pem = identity_pem(&id, with_key);
        int fd = with_key ? open(path, O_WRONLY | O_TRUNC) : mkstemp(path);
        assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
        close(fd);
        free(pem);
        assert_int_equal(identity_read(path, &again, &e), with_key ? 0 : -1);
    }
    assert_int_equal(X509_cmp(id.cert, again.cert), 0);
    unlink(path);
    identity_fini(&again);
    identity_fini(&id);
}

static void a_name_is_never_read_as_syntax(void **state)
{
    (void)state;
    struct identity id = make(KEY_P256, "a,DNS:b.example", NULL);
    assert_int_equal(X509_check_host(id.cert, "b.example", 0, 0, NULL), 0);
    identity_fini(&id);
}

static void the_certificate_is_valid_now_and_in_nine_years(void **state)
{
    (void)state;
    struct identity id = make(KEY_P256, "localhost", NULL);
    time_t later = time(NULL) + (time_t)9 * 365 * 86400;
    assert_true(X509_cmp_current_time(X509_get0_notBefore(id.cert)) < 0);
    assert_true(X509_cmp_time(X509_get0_notAfter(id.cert), &later) > 0);
    identity_fini(&id);
}

static int verify(X509 *cert, X509 *root, int purpose)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    assert_true(store && ctx && X509_STORE_add_cert(store, root));
    assert_true(X509_STORE_CTX_init(ctx, store, cert, NULL));
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_purpose(ctx, purpose);
    int ok = X509_verify_cert(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

static void an_issued_certificate_verifies_against_its_issuer_only(void **state)
{
    (void)state;
    struct identity authority = make(KEY_P256, "authority", NULL);
    struct identity stranger = make(KEY_P256, "authority", NULL);
    struct identity client = make(KEY_P256, "client", &authority);
    assert_int_equal(verify(client.cert, authority.cert, X509_PURPOSE_SSL_CLIENT), 1);
    assert_int_equal(verify(client.cert, stranger.cert, X509_PURPOSE_SSL_CLIENT), 0);
    identity_fini(&client);
    identity_fini(&stranger);
    identity_fini(&authority);
}

static void two_identities_share_neither_key_nor_serial(void **state)
{
    (void)state;
    struct identity a = make(KEY_P256, "localhost", NULL);
    struct identity b = make(KEY_P256, "localhost", NULL);
    assert_int_not_equal(X509_check_private_key(a.cert, b.key), 1);
    assert_int_not_equal(
        ASN1_INTEGER_cmp(X509_get0_serialNumber(a.cert), X509_get0_serialNumber(b.cert)), 0);
    identity_fini(&a);
    identity_fini(&b);
}

/* What servers hold is compared to the byte, so their certificates may not differ in size by
 * chance. Of numbers that are drawn freely one in 128 is shorter. */
static void every_serial_takes_as_many_octets(void **state)
{
    (void)state;
    enum { MANY = 1500 };
    for (int i = 0; i < MANY; i++) {
        struct identity id = make(KEY_P256, "localhost", NULL);
        const ASN1_INTEGER *serial = X509_get0_serialNumber(id.cert);
        assert_int_equal(ASN1_STRING_length(serial), 8);
        identity_fini(&id);
    }
}

static void pem_reads_back_as_the_same_identity(void **state)
{
    (void)state;
    struct identity id = make(KEY_P256, "localhost", NULL);
    char *pem = identity_pem(&id, true);
    assert_non_null(pem);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_non_null(cert);
    assert_non_null(key);
    assert_int_equal(X509_cmp(cert, id.cert), 0);
    assert_int_equal(X509_check_private_key(id.cert, key), 1);
    EVP_PKEY_free(key);
    X509_free(cert);
    BIO_free(bio);
    free(pem);
    identity_fini(&id);
}

static void pem_without_key_holds_no_key(void **state)
{
    (void)state;
    struct identity id = make(KEY_P256, "localhost", NULL);
    char *pem = identity_pem(&id, false);
    assert_non_null(strstr(pem, "BEGIN CERTIFICATE"));
    assert_null(strstr(pem, "PRIVATE KEY"));
    free(pem);
    identity_fini(&id);
}

static void a_failure_leaves_the_result_alone(void **state)
{
    (void)state;
    struct identity id = {.key = NULL, .cert = (X509 *)(uintptr_t)1};
    struct err e = {""};
    char too_long[200];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(identity_make(KEY_P256, too_long, NULL, &id, &e), -1);
    assert_ptr_equal(id.cert, (X509 *)(uintptr_t)1);
    assert_non_null(strstr(e.text, "can't make a key and certificate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_of_the_kind_asked_for),
        cmocka_unit_test(the_certificate_holds_its_own_key_and_name),
        cmocka_unit_test(the_certificate_has_as_many_names_as_asked_for),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_name_is_never_read_as_syntax),
        cmocka_unit_test(the_certificate_is_valid_now_and_in_nine_years),
        cmocka_unit_test(an_issued_certificate_verifies_against_its_issuer_only),
        cmocka_unit_test(two_identities_share_neither_key_nor_serial),
        cmocka_unit_test(every_serial_takes_as_many_octets),
        cmocka_unit_test(pem_reads_back_as_the_same_identity),
        cmocka_unit_test(pem_without_key_holds_no_key),
        cmocka_unit_test(a_failure_leaves_the_result_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
