/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_ends.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

int ends_setup(void **state)
{
    struct ends *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(identity_make(KEY_P256, "localhost", NULL, &f->identity, NULL), 0);
    assert_int_equal(identity_make(KEY_P256, "authority", NULL, &f->authority, NULL), 0);
    *state = f;
    return 0;
}

int ends_teardown(void **state)
{
    struct ends *f = *state;
    identity_fini(&f->identity);
    identity_fini(&f->authority);
    free(f);
    return 0;
}

SSL_CTX *ends_server_ctx(struct ends *f, struct context_server_options o)
{
    SSL_CTX *ctx = NULL;
    struct err e = {""};
    if (!o.identity)
        o.identity = &f->identity;
    if (context_server_new(&o, &ctx, &e) < 0)
        fail_msg("%s", e.text);
    return ctx;
}

SSL_CTX *ends_client_ctx(struct context_client_options o)
{
    SSL_CTX *ctx = NULL;
    struct err e = {""};
    if (context_client_new(&o, &ctx, &e) < 0)
        fail_msg("%s", e.text);
    return ctx;
}

static void on_info(const SSL *ssl, int where, int what)
{
    struct end *end = SSL_get_app_data(ssl);
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
        end->alert = what & 0xff;
}

static void end_open(struct end *end, SSL_CTX *ctx, bool server)
{
    *end = (struct end){.wire = {.out = &end->out}};
    end->ssl = wire_ssl_new(ctx, &end->wire, server);
    assert_non_null(end->ssl);
    SSL_set_app_data(end->ssl, end);
    SSL_set_info_callback(end->ssl, on_info);
}

void ends_open(struct ends *f, SSL_CTX *server, SSL_CTX *client)
{
    end_open(&f->server, server, true);
    end_open(&f->client, client, false);
}

void ends_close(struct ends *f)
{
    SSL_free(f->server.ssl);
    SSL_free(f->client.ssl);
}

bool end_turn(struct end *self, struct end *other)
{
    char byte;
    self->wire.in = other->out.bytes;
    self->wire.in_left = other->out.used;
    ERR_clear_error();
    int rc = SSL_do_handshake(self->ssl);
    if (rc == 1)
        rc = SSL_read(self->ssl, &byte, 1);
    int error = SSL_get_error(self->ssl, rc);
    other->out.used = 0;
    return rc > 0 || error == SSL_ERROR_WANT_READ;
}

bool ends_do_handshake(struct ends *f)
{
    bool ok = true;
    for (int turn = 0; turn < 6 && ok; turn++)
        ok = end_turn(&f->client, &f->server) && end_turn(&f->server, &f->client);
    /* An alert is still to be read. */
    if (!ok) {
        end_turn(&f->client, &f->server);
        end_turn(&f->server, &f->client);
    }
    return ok && SSL_is_init_finished(f->server.ssl) && SSL_is_init_finished(f->client.ssl);
}

SSL_SESSION *ends_session(struct ends *f)
{
    SSL_SESSION *session = SSL_get1_session(f->client.ssl);
    SSL_shutdown(f->client.ssl);
    SSL_shutdown(f->server.ssl);
    ends_close(f);
    return session;
}

bool ends_meet(struct ends *f, SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session)
{
    ends_open(f, server, client);
    if (session)
        assert_int_equal(SSL_set_session(f->client.ssl, session), 1);
    return ends_do_handshake(f);
}
