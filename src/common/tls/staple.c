/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/staple.h"

#include "base/check.h"
#include "context_internal.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <string.h>

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
