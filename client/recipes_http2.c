/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request over HTTP/2, and ways to part: http2.h has the bytes. The server's answer may be any,
 * 404 as well as 200.
 */
#include "base/check.h"
#include "leave.h"
#include "net/http2.h"
#include "peer.h"
#include "peer_tls.h"
#include "recipe.h"

#include <stdlib.h>

static int prepare(struct peer *p)
{
    static const unsigned char protocol[] = "\x02h2";
    p->own = calloc(1, sizeof(struct http2));
    CHECK(p->own);
    return SSL_set_alpn_protos(p->ssl, protocol, sizeof protocol - 1) == 0 ? 0 : -1;
}

static bool is_chosen(const SSL *ssl)
{
    const unsigned char *name;
    unsigned length;
    SSL_get0_alpn_selected(ssl, &name, &length);
    return length == 2 && name[0] == 'h' && name[1] == '2';
}

static size_t put_request(const struct peer *p, uint8_t *to)
{
    return http2_put_request(to, p->shared->sni ? p->shared->sni : "localhost");
}

/* The request, and what follows it at once. */
static enum step ask(struct peer *p)
{
    uint8_t bytes[2 * HTTP2_OUT_BYTES];
    size_t used = put_request(p, bytes);
    if (!is_chosen(p->ssl))
        return peer_fail(p, PEER_FAIL_HANDSHAKE, "%s: the server doesn't choose h2 by ALPN",
                         behaviour_name((int)p->behaviour));
    if (p->behaviour == BEHAVIOUR_H2_RESET_STREAM) {
        used += http2_put_reset(bytes + used);
        used += http2_put_ping(bytes + used);
    }
    return peer_tls_write(p, bytes, used);
}

static enum step acknowledge(struct peer *p, struct http2 *h)
{
    uint8_t bytes[HTTP2_OUT_BYTES];
    size_t used = http2_put_settings_ack(bytes);
    h->settings--;
    return peer_tls_write(p, bytes, used);
}

static enum step converse(struct peer *p)
{
    struct http2 *h = p->own;
    enum step step = p->step++ == 0 ? ask(p) : STEP_STAY;
    while (step == STEP_STAY && h->settings > 0)
        step = acknowledge(p, h);
    if (step != STEP_STAY)
        return step;
    bool over = p->behaviour == BEHAVIOUR_H2_RESET_STREAM ? h->pong : h->answered;
    return over && h->acknowledged ? STEP_ON : STEP_STAY;
}

static enum step heard(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct err why;
    if (http2_hear(p->own, bytes, count, &why) == 0)
        return STEP_STAY;
    return peer_fail(p, PEER_FAIL_ECHO, "%s: %s", behaviour_name((int)p->behaviour), why.text);
}

static enum step cut(struct peer *p)
{
    enum step step = ask(p);
    return step == STEP_STAY ? leave_at_point(p) : step;
}

static enum step say_goaway(struct peer *p)
{
    uint8_t bytes[HTTP2_OUT_BYTES];
    return peer_tls_write(p, bytes, http2_put_goaway(bytes, 0));
}

#define H2(the_last_words)                                                                         \
    {                                                                                              \
        .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .own_sessions = true, .own_words = true,      \
        .prepare = prepare, .work = converse, .heard = heard, .last_words = the_last_words         \
    }

const struct recipe recipes_http2[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_H2_GOAWAY] = H2(say_goaway),
    [BEHAVIOUR_H2_NO_GOAWAY] = H2(NULL),
    [BEHAVIOUR_H2_RESET_STREAM] = H2(say_goaway),
    [BEHAVIOUR_H2_RST_REQUEST] = {.end = RECIPE_CUT,
                                  .exit = EXIT_RESET,
                                  .no_offer = true,
                                  .own_sessions = true,
                                  .own_words = true,
                                  .prepare = prepare,
                                  .work = cut,
                                  .heard = heard},
};
