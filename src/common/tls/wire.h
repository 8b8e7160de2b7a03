/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BIO without I/O: OpenSSL reads from bytes that the event loop has already received and writes
 * into a buffer that the event loop sends with one call. One BIO per SSL object serves both
 * directions and allocates nothing of its own, so what OpenSSL allocates stays OpenSSL's.
 *
 * struct wire lives in the connection; wire_out is one per event loop, shared by its connections:
 * it is empty whenever no SSL call is under way, because the owner sends or keeps its content
 * before it turns to another connection. Not thread-safe; one loop owns both.
 */
#ifndef SOAK_TLS_WIRE_H
#define SOAK_TLS_WIRE_H

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_OUT_BYTES = 96 * 1024 };

struct wire_out {
    size_t used;
    uint8_t bytes[WIRE_OUT_BYTES];
};

struct wire {
    const uint8_t *in; /* borrowed: what is left of the received bytes */
    size_t in_left;
    bool in_eof;          /* the peer has closed: reading beyond the bytes gives end of file */
    struct wire_out *out; /* borrowed: the loop's */
};

/* Reading from an empty wire gives "retry later" (or end of file); writing into a full wire_out
 * gives "retry later". `w` is borrowed and must outlive the BIO. The BIO is the caller's until
 * SSL_set_bio takes it (pass it for both directions: SSL_set_bio then owns one reference). NULL
 * when out of memory. */
BIO *wire_bio_new(struct wire *w);

/* An SSL object that reads and writes `w` as a server or a client (SSL_free). NULL when out of
 * memory; the reason is in OpenSSL's queue. */
SSL *wire_ssl_new(SSL_CTX *ctx, struct wire *w, bool server);
/* What an SSL object of wire_ssl_new reads and writes. */
struct wire *wire_of(const SSL *ssl);

/* What a call on such an object has come to. */
enum ssl_result {
    SSL_RESULT_DONE,
    SSL_RESULT_WAITS, /* for bytes from the peer */
    SSL_RESULT_AGAIN, /* wire_out was full: once it is empty, the call is to be made again */
    SSL_RESULT_ENDED, /* the peer has said close_notify */
    SSL_RESULT_FAILED
};
/* `returned` is what the call returned. */
enum ssl_result ssl_result_of(const SSL *ssl, int returned);

#endif
