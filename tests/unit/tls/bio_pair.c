/* SPDX-License-Identifier: Apache-2.0 */
#include "bio_pair.h"

#include "base/check.h"

#include <openssl/bio.h>

int bio_pair_start(struct bio_pair_contexts *c, enum session_kind session)
{
    const struct context_server_options server = {
        .version = TLS_1_3, .session = session, .identity = &c->identity};
    const struct context_client_options client = {.version = TLS_1_3};
    return identity_make(KEY_P256, "localhost", NULL, &c->identity, NULL) != 0 ||
           context_server_new(&server, &c->server, NULL) != 0 ||
           context_client_new(&client, &c->client, NULL) != 0;
}

void bio_pair_stop(struct bio_pair_contexts *c)
{
    SSL_CTX_free(c->client);
    SSL_CTX_free(c->server);
    identity_fini(&c->identity);
}

static SSL *end_new(SSL_CTX *context, BIO *bio)
{
    SSL *ssl = SSL_new(context);
    CHECK(ssl);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

struct bio_pair bio_pair_open(const struct bio_pair_contexts *c, SSL_SESSION *session)
{
    BIO *client, *server;
    CHECK(BIO_new_bio_pair(&client, 0, &server, 0) == 1);
    struct bio_pair pair = {end_new(c->client, client), end_new(c->server, server)};
    if (session)
        CHECK(SSL_set_session(pair.client, session) == 1);
    while (!SSL_is_init_finished(pair.client) || !SSL_is_init_finished(pair.server)) {
        SSL_connect(pair.client);
        SSL_accept(pair.server);
    }
    return pair;
}

void bio_pair_free(struct bio_pair pair)
{
    SSL_free(pair.client);
    SSL_free(pair.server);
}
