/* SPDX-License-Identifier: Apache-2.0 */
#include "hello_send.h"

#include "base/check.h"
#include "records.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* The headers and the first fields byte by byte, and 32 segments in all: the kernel joins what lies
 * beyond those that it has under way at once, 34 of them when this was measured on loopback. */
enum { SINGLE_BYTES = 24, LATER_PIECES = 8 };
enum { FRAGMENT_BYTES = 7, HUGE_BYTES = 56 * 1024 };

/* What of the ClientHello is still to be sent. */
struct rest {
    size_t at, count;
    uint8_t bytes[];
};

void hello_transmit_half(struct peer *p)
{
    if (p->flights++ == 0)
        p->shared->net.out.used /= 2;
}

void hello_transmit_fragments(struct peer *p)
{
    struct wire_out *out = &p->shared->net.out, cut;
    if (p->flights++ > 0 || !records_split(out, FRAGMENT_BYTES, &cut))
        return;
    memcpy(out->bytes, cut.bytes, cut.used);
    out->used = cut.used;
}

/* Takes all that was to be sent. */
static void take_output(struct peer *p)
{
    struct wire_out *out = &p->shared->net.out;
    struct rest *rest = calloc(1, sizeof *rest + out->used);
    CHECK(rest);
    rest->count = out->used;
    memcpy(rest->bytes, out->bytes, out->used);
    out->used = 0;
    p->own = rest;
}

/* libuv tells of a write in the loop's next turn at the earliest, whatever the kernel took. */
void hello_written_dribble(struct peer *p)
{
    struct rest *rest = p->own;
    if (!rest || rest->at == rest->count)
        return;
    bool single = rest->at < SINGLE_BYTES || rest->count <= SINGLE_BYTES + LATER_PIECES;
    size_t left = rest->count - rest->at;
    size_t piece = single ? 1 : (rest->count - SINGLE_BYTES) / LATER_PIECES + 1;
    size_t count = piece < left ? piece : left;
    peer_queue(p, rest->bytes + rest->at, count);
    rest->at += count;
}

void hello_transmit_dribble(struct peer *p)
{
    if (p->flights++ > 0)
        return;
    take_output(p);
    hello_written_dribble(p);
}

void hello_transmit_slowly(struct peer *p)
{
    if (p->flights++ == 0)
        take_output(p);
}

enum step hello_tick_slowly(struct peer *p)
{
    struct wire_out *out = &p->shared->net.out;
    struct rest *rest = p->own;
    if (rest && rest->at + 1 < rest->count)
        out->bytes[out->used++] = rest->bytes[rest->at++];
    return STEP_STAY;
}

static X509_EXTENSION *make_extension(size_t count)
{
    X509_EXTENSION *extension = NULL;
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    unsigned char *bytes = calloc(1, count);
    if (value && bytes && ASN1_OCTET_STRING_set(value, bytes, (int)count))
        extension = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0, value);
    free(bytes);
    ASN1_OCTET_STRING_free(value);
    return extension;
}

int hello_prepare_huge(struct peer *p)
{
    X509_EXTENSION *extension = make_extension(HUGE_BYTES);
    X509_EXTENSIONS *all = sk_X509_EXTENSION_new_null();
    if (!extension || !all || !sk_X509_EXTENSION_push(all, extension)) {
        X509_EXTENSION_free(extension);
        sk_X509_EXTENSION_free(all);
        return -1;
    }
    SSL_set_tlsext_status_type(p->ssl, TLSEXT_STATUSTYPE_ocsp);
    SSL_set_tlsext_status_exts(p->ssl, all); /* takes it */
    return 0;
}
