/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/wire.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <string.h>

static int wire_read(BIO *bio, char *to, int size)
{
    struct wire *w = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    if (w->in_left == 0) {
        if (w->in_eof)
            return 0;
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t count = (size_t)size < w->in_left ? (size_t)size : w->in_left;
    memcpy(to, w->in, count);
    w->in += count;
    w->in_left -= count;
    return (int)count;
}

static int wire_write(BIO *bio, const char *from, int size)
{
    struct wire *w = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    size_t room = sizeof w->out->bytes - w->out->used;
    if (room == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    size_t count = (size_t)size < room ? (size_t)size : room;
    memcpy(w->out->bytes + w->out->used, from, count);
    w->out->used += count;
    return (int)count;
}

static long wire_ctrl(BIO *bio, int command, long number, void *pointer)
{
    struct wire *w = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_PENDING:
        return (long)w->in_left;
    case BIO_CTRL_WPENDING:
        return (long)w->out->used;
    case BIO_CTRL_EOF:
        return w->in_eof && w->in_left == 0;
    default:
        return 0;
    }
}

/* Made once per process and never freed: it must outlive every BIO of its kind. OpenSSL 4.0 has no
 * OPENSSL_atexit, and leaves what is global to the end of the process as well. */
static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void method_make(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    if (m && BIO_meth_set_read(m, wire_read) && BIO_meth_set_write(m, wire_write) &&
        BIO_meth_set_ctrl(m, wire_ctrl))
        method = m;
    else
        BIO_meth_free(m);
}

BIO *wire_bio_new(struct wire *w)
{
    CHECK(w && w->out);
    if (!CRYPTO_THREAD_run_once(&method_once, method_make) || !method)
        return NULL;
    BIO *bio = BIO_new(method);
    if (!bio)
        return NULL;
    BIO_set_data(bio, w);
    BIO_set_init(bio, 1);
    return bio;
}

SSL *wire_ssl_new(SSL_CTX *ctx, struct wire *w, bool server)
{
    SSL *ssl = SSL_new(ctx);
    BIO *bio = ssl ? wire_bio_new(w) : NULL;
    if (!bio) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_bio(ssl, bio, bio);
    if (server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return ssl;
}

struct wire *wire_of(const SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}

enum ssl_result ssl_result_of(const SSL *ssl, int returned)
{
    switch (SSL_get_error(ssl, returned)) {
    case SSL_ERROR_NONE:
        return SSL_RESULT_DONE;
    case SSL_ERROR_WANT_READ:
        return SSL_RESULT_WAITS;
    case SSL_ERROR_WANT_WRITE:
        return SSL_RESULT_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return SSL_RESULT_ENDED;
    default:
        return SSL_RESULT_FAILED;
    }
}
