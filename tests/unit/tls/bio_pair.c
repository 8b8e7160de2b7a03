/* SPDX-License-Identifier: Apache-2.0 */
#include "bio_pair.h"

#include "base/check.h"
#include "probe/probe.h"
#include "tls/identity.h"

#include <openssl/bio.h>

static struct identity identity;
static SSL_CTX *client_context, *server_context;

int bio_pair_start(void **state, enum session_kind session)
{
    (void)state;
    const struct probe_options on = {.ledger = true};
    const struct context_server_options server = {
        .version = TLS_1_3, .session = session, .identity = &identity};
    const struct context_client_options client = {.version = TLS_1_3};
    return probe_start(-1, &on, NULL) != 0 || probe_census_start(NULL) != 0 ||
           identity_make(KEY_P256, "localhost", NULL, &identity, NULL) != 0 ||
           context_server_new(&server, &server_context, NULL) != 0 ||
           context_client_new(&client, &client_context, NULL) != 0;
}

int bio_pair_stop(void **state)
{
    (void)state;
    SSL_CTX_free(client_context);
    SSL_CTX_free(server_context);
    identity_fini(&identity);
    return 0;
}

X509 *bio_pair_certificate(void)
{
    return identity.cert;
}

static SSL *end_new(SSL_CTX *context, BIO *bio)
{
    SSL *ssl = SSL_new(context);
    CHECK(ssl);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

struct bio_pair bio_pair_open(SSL_SESSION *session)
{
    BIO *client, *server;
    CHECK(BIO_new_bio_pair(&client, 0, &server, 0) == 1);
    struct bio_pair pair = {end_new(client_context, client), end_new(server_context, server)};
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
