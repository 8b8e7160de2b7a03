/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much HTTP/2 (RFC 9113) as a load needs: the bytes that a client says, those with which a
 * server answers it, and the other end's frames read as they come, of which only the last answer to
 * each question is kept. Headers are written with the static table and literals alone (RFC 7541,
 * appendix A and 6.2.2), and what the other end's mean is never asked. Pure.
 */
#ifndef SOAK_NET_HTTP2_H
#define SOAK_NET_HTTP2_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP2_FRAME_HEADER = 9,
    HTTP2_OUT_BYTES = 512, /* room for any of what is said below */
    HTTP2_AUTHORITY_MAX = 255
};

/* What a client begins with: the preface, SETTINGS without pushes, the widest window, so that no
 * answer waits for room, and GET / as stream 1. Writes at most HTTP2_OUT_BYTES, returns their
 * number; `authority` is the server's name, cut to HTTP2_AUTHORITY_MAX. */
size_t http2_put_request(uint8_t *to, const char *authority);
/* Gives up stream 1 (RST_STREAM, CANCEL). */
size_t http2_put_reset(uint8_t *to);
/* Asks for a PING with ACK: the server has then read all that came before. */
size_t http2_put_ping(uint8_t *to);
size_t http2_put_settings_ack(uint8_t *to);
/* Says that no more streams will come (GOAWAY, NO_ERROR); `last` is the last that the other end has
 * begun, 0: none. */
size_t http2_put_goaway(uint8_t *to, unsigned last);
/* What a server begins with: SETTINGS, the widest window, so that no request waits for room, and
 * the acknowledgement of the client's. */
size_t http2_put_hello(uint8_t *to);
/* Its answer: 200, and the frame of `count` bytes that are sent behind it. */
size_t http2_put_answer(uint8_t *to, unsigned stream, size_t count);
enum { HTTP2_ANSWER_MAX = 16384 };

/* The other end's frames: a server's if it starts as zeros, a client's with http2_of_client. */
struct http2 {
    uint8_t header[HTTP2_FRAME_HEADER];
    size_t have;       /* of the header */
    size_t left;       /* of the payload */
    bool begun;        /* by SETTINGS, as it must */
    unsigned settings; /* SETTINGS that wait for our acknowledgement: the reader counts it down */
    bool acknowledged; /* ours have been */
    bool of_client;
    unsigned stream; /* of a client's first request, any odd number (5.1.1); a server answers 1 */
    bool answered;   /* that stream has ended: the answer, or the request */
    bool pong;       /* the PING came back */
};

/* The preface comes first. */
void http2_of_client(struct http2 *h);
/* Reads bytes that have come, in pieces of any size. Returns 0, or -1 with a sentence: they aren't
 * HTTP/2, or the server has given up stream 1 or the whole connection. */
int http2_hear(struct http2 *h, const uint8_t *bytes, size_t count, struct err *e);

#endif
