/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/identity.h"

#include "base/check.h"
#include "context_internal.h"
#include "tls/context.h"

#include <inttypes.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { VALID_BEFORE_DAYS = 1, VALID_AFTER_DAYS = 3650 };
enum { EXPIRED_BEFORE_DAYS = 30, EXPIRED_AFTER_DAYS = -1 };

static EVP_PKEY *key_make(enum key_kind kind)
{
    EVP_PKEY *key = NULL;
    bool rsa = kind == KEY_RSA2048;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(rsa ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
    if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0)
        goto out;
    int set = rsa ? EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048)
                  : EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1);
    if (set <= 0 || EVP_PKEY_keygen(ctx, &key) <= 0)
        key = NULL;
out:
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static int cert_set_serial(X509 *cert)
{
    uint64_t serial = 0;
    if (RAND_bytes((unsigned char *)&serial, sizeof serial) != 1)
        return -1;
    /* RFC 5280 4.1.2.2: positive, so the top bit is clear. The next one is set: a number of fewer
     * than 8 octets would take a byte less in one certificate of 128. */
    serial = serial >> 1 | UINT64_C(1) << 62;
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial) ? 0 : -1;
}

static int cert_set_names(X509 *cert, const char *common_name, const X509 *issuer)
{
    X509_NAME *name = X509_NAME_new();
    int rc = -1;
    if (!name || !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                             (const unsigned char *)common_name, -1, -1, 0))
        goto out;
    if (!X509_set_subject_name(cert, name))
        goto out;
    if (X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name))
        rc = 0;
out:
    X509_NAME_free(name);
    return rc;
}

/* Adds a name, whose value is `text` (owned here; NULL: there is none). Built from its parts rather
 * than from a string, so that no name can be read as syntax. */
static int names_add(GENERAL_NAMES *names, int type, ASN1_STRING *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (!names || !name || !text) {
        ASN1_STRING_free(text);
        GENERAL_NAME_free(name);
        return -1;
    }
    GENERAL_NAME_set0_value(name, type, text);
    if (sk_GENERAL_NAME_push(names, name))
        return 0;
    GENERAL_NAME_free(name);
    return -1;
}

static int names_add_dns(GENERAL_NAMES *names, const char *dns)
{
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (text && ASN1_STRING_set(text, dns, -1))
        return names_add(names, GEN_DNS, text);
    ASN1_IA5STRING_free(text);
    return -1;
}

/* The common name, more DNS names of the same length each, and the address. */
static int cert_add_names(X509 *cert, const struct identity_request *r)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    int rc = names_add_dns(names, r->common_name);
    for (uint64_t i = 1; rc == 0 && i < r->names; i++) {
        char dns[64];
        snprintf(dns, sizeof dns, "name-%08" PRIu64 ".example.org", i);
        rc = names_add_dns(names, dns);
    }
    if (rc == 0 && r->address)
        rc = names_add(names, GEN_IPADD, a2i_IPADDRESS(r->address));
    if (rc == 0 && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1)
        rc = -1;
    GENERAL_NAMES_free(names);
    return rc;
}

static int cert_add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    if (!extension)
        return -1;
    int added = X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return added ? 0 : -1;
}

static int cert_add_extensions(X509 *cert, X509 *issuer, bool authority)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer ? issuer : cert, cert, NULL, NULL, 0);
    const char *constraints = authority ? "critical,CA:TRUE" : "critical,CA:FALSE";
    const char *usage =
        authority ? "critical,digitalSignature,keyCertSign" : "critical,digitalSignature";
    if (cert_add_extension(cert, &ctx, NID_basic_constraints, constraints) < 0 ||
        cert_add_extension(cert, &ctx, NID_key_usage, usage) < 0 ||
        cert_add_extension(cert, &ctx, NID_subject_key_identifier, "hash") < 0)
        return -1;
    return issuer ? cert_add_extension(cert, &ctx, NID_authority_key_identifier, "keyid") : 0;
}

static X509 *cert_make(EVP_PKEY *key, const struct identity_request *r)
{
    X509 *signer = r->issuer ? r->issuer->cert : NULL;
    int after_days = r->expired ? EXPIRED_AFTER_DAYS : VALID_AFTER_DAYS;
    int before_days = r->expired ? EXPIRED_BEFORE_DAYS : VALID_BEFORE_DAYS;
    X509 *cert = X509_new();
    if (!cert || !X509_set_version(cert, 2) || cert_set_serial(cert) < 0)
        goto fail;
    if (!X509_time_adj_ex(X509_getm_notBefore(cert), -before_days, 0, NULL) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), after_days, 0, NULL))
        goto fail;
    if (cert_set_names(cert, r->common_name, signer) < 0 || !X509_set_pubkey(cert, key))
        goto fail;
    if (cert_add_extensions(cert, signer, !signer || r->authority) < 0 ||
        cert_add_names(cert, r) < 0)
        goto fail;
    if (X509_sign(cert, r->issuer ? r->issuer->key : key, EVP_sha256()) <= 0)
        goto fail;
    return cert;
fail:
    X509_free(cert);
    return NULL;
}

int identity_make_as(const struct identity_request *r, struct identity *ret, struct err *e)
{
    char why[256];
    ERR_clear_error();
    EVP_PKEY *key = key_make(r->kind);
    X509 *cert = key ? cert_make(key, r) : NULL;
    if (!cert) {
        EVP_PKEY_free(key);
        return err_set(e, "can't make a key and certificate for '%s': %s", r->common_name,
                       context_error(why, sizeof why));
    }
    *ret = (struct identity){.key = key, .cert = cert};
    return 0;
}

int identity_make(enum key_kind kind, const char *common_name, const struct identity *issuer,
                  struct identity *ret, struct err *e)
{
    const struct identity_request request = {
        .kind = kind, .common_name = common_name, .issuer = issuer};
    return identity_make_as(&request, ret, e);
}

void identity_fini(struct identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
    *id = (struct identity){0};
}

char *identity_pem(const struct identity *id, bool with_key)
{
    char *copy = NULL, *bytes = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || !PEM_write_bio_X509(bio, id->cert))
        goto out;
    if (with_key && !PEM_write_bio_PrivateKey(bio, id->key, NULL, NULL, 0, NULL, NULL))
        goto out;
    long length = BIO_get_mem_data(bio, &bytes);
    if (length > 0)
        copy = strndup(bytes, (size_t)length);
out:
    BIO_free(bio);
    return copy;
}

int identity_read(const char *path, struct identity *ret, struct err *e)
{
    ERR_clear_error();
    BIO *bio = BIO_new_file(path, "r");
    struct identity id = {.cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL};
    id.key = id.cert ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (id.key && X509_check_private_key(id.cert, id.key)) {
        *ret = id;
        return 0;
    }
    identity_fini(&id);
    context_fail(e, "no certificate and key can be read");
    return err_prefix(e, "%s", path);
}

/* ---- what is stapled ---- */

enum { DER_OCTET_STRING = 0x04, DER_TWO_LENGTH_BYTES = 0x82, DER_HEAD_BYTES = 4 };
enum { VALID_S = 7 * 24 * 3600 };

static OCSP_RESPONSE *response_new(const struct identity *id, const struct identity *issuer)
{
    OCSP_RESPONSE *response = NULL;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *about = OCSP_cert_to_id(NULL, id->cert, issuer->cert);
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *next = X509_gmtime_adj(NULL, VALID_S);
    if (basic && about && now && next &&
        OCSP_basic_add1_status(basic, about, V_OCSP_CERTSTATUS_GOOD, 0, NULL, now, next) &&
        OCSP_basic_sign(basic, issuer->cert, issuer->key, EVP_sha256(), NULL, 0))
        response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    ASN1_TIME_free(next);
    ASN1_TIME_free(now);
    OCSP_CERTID_free(about);
    OCSP_BASICRESP_free(basic);
    return response;
}

static int make_good(const struct identity *id, const struct identity *issuer, struct staple *ret)
{
    OCSP_RESPONSE *response = response_new(id, issuer);
    int length = response ? i2d_OCSP_RESPONSE(response, &ret->bytes) : -1;
    OCSP_RESPONSE_free(response);
    ret->length = length > 0 ? (size_t)length : 0;
    return length > 0 ? 0 : -1;
}

int staple_make(enum ocsp_kind kind, const struct identity *id, const struct identity *issuer,
                struct staple *ret, struct err *e)
{
    struct staple made = {.kind = kind};
    ERR_clear_error();
    if (kind == OCSP_GOOD && make_good(id, issuer, &made) < 0)
        return context_fail(e, "can't make an OCSP response");
    *ret = made;
    return 0;
}

void staple_fini(struct staple *staple)
{
    OPENSSL_free(staple->bytes);
    *staple = (struct staple){0};
}

static void large_fill(unsigned char *bytes, size_t length)
{
    size_t content = length - DER_HEAD_BYTES;
    CHECK(content <= UINT16_MAX);
    memset(bytes, 0, length);
    bytes[0] = DER_OCTET_STRING;
    bytes[1] = DER_TWO_LENGTH_BYTES;
    bytes[2] = (unsigned char)(content >> 8);
    bytes[3] = (unsigned char)content;
}

static size_t length_for(const struct staple *staple, const SSL *ssl)
{
    if (staple->kind != OCSP_LARGE)
        return staple->length;
    return SSL_version(ssl) >= TLS1_3_VERSION ? STAPLE_LARGE_BYTES : STAPLE_TLS12_BYTES;
}

/* Called when the client has asked. The SSL object owns what it is given. */
static int on_status(SSL *ssl, void *arg)
{
    const struct staple *staple = context_features_of(ssl)->staple;
    size_t length = length_for(staple, ssl);
    /* Never of no bytes: without a pointer nothing would be stapled. */
    unsigned char *bytes = OPENSSL_malloc(length + 1);
    (void)arg;
    if (!bytes)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    if (staple->kind == OCSP_LARGE)
        large_fill(bytes, length);
    else if (length)
        memcpy(bytes, staple->bytes, length);
    SSL_set_tlsext_status_ocsp_resp(ssl, bytes, (long)length);
    return SSL_TLSEXT_ERR_OK;
}

void staple_use(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_status_cb(ctx, on_status);
}
