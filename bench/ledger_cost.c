/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop whose instructions ledger-cost.sh counts: TLS 1.3 P-256 connections between two SSL
 * objects in memory (handshake, a message echoed, close_notify both ways), with the ledger on or
 * off, or on with the call stacks of one site taken, that of the SSL objects.
 * Usage: ledger-cost-loop on|off|marked CONNECTIONS
 */
#include "base/check.h"
#include "probe/probe.h"
#include "tls/context.h"
#include "tls/identity.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 64 };

static SSL *end_new(SSL_CTX *context, BIO *bio)
{
    SSL *ssl = SSL_new(context);
    CHECK(ssl);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

static void handshake(SSL *client, SSL *server)
{
    while (!SSL_is_init_finished(client) || !SSL_is_init_finished(server)) {
        int code = SSL_connect(client);
        CHECK(code == 1 || SSL_get_error(client, code) == SSL_ERROR_WANT_READ);
        code = SSL_accept(server);
        CHECK(code == 1 || SSL_get_error(server, code) == SSL_ERROR_WANT_READ);
    }
}

static void pass(SSL *from, SSL *to)
{
    char message[MESSAGE_BYTES] = {0};
    CHECK(SSL_write(from, message, sizeof message) == MESSAGE_BYTES);
    CHECK(SSL_read(to, message, sizeof message) == MESSAGE_BYTES);
}

static void connection_run(SSL_CTX *client_context, SSL_CTX *server_context)
{
    BIO *client_bio;
    BIO *server_bio;
    CHECK(BIO_new_bio_pair(&client_bio, 0, &server_bio, 0) == 1);
    SSL *client = end_new(client_context, client_bio);
    SSL *server = end_new(server_context, server_bio);
    handshake(client, server);
    pass(client, server);
    pass(server, client);
    CHECK(SSL_shutdown(client) == 0);
    CHECK(SSL_shutdown(server) == 0);
    CHECK(SSL_shutdown(client) == 1);
    CHECK(SSL_shutdown(server) == 1);
    SSL_free(client);
    SSL_free(server);
}

/* Counting begins and ends with this function, so it must stay one. */
__attribute__((noinline)) void ledger_cost_loop(SSL_CTX *client, SSL_CTX *server, long count);

void ledger_cost_loop(SSL_CTX *client, SSL_CTX *server, long count)
{
    for (long i = 0; i < count; i++)
        connection_run(client, server);
}

static void contexts_make(SSL_CTX **ret_client, SSL_CTX **ret_server)
{
    struct identity identity;
    CHECK(identity_make(KEY_P256, "localhost", NULL, &identity, NULL) == 0);
    const struct context_server_options server = {
        .version = TLS_1_3, .session = SESSION_TICKET, .identity = &identity};
    const struct context_client_options client = {.version = TLS_1_3};
    CHECK(context_server_new(&server, ret_server, NULL) == 0);
    CHECK(context_client_new(&client, ret_client, NULL) == 0);
    identity_fini(&identity);
}

/* What soak does when a site looks guilty. The census knows where the last SSL was made. */
static void mark_ssl_site(struct page *page)
{
    for (size_t i = 0; i < PAGE_CLASSES; i++) {
        uint64_t site = page->class_[i].site;
        if (strcmp(page->class_[i].name, "SSL") == 0)
            atomic_fetch_or(&page->capture.wanted[site / 64], UINT64_C(1) << site % 64);
    }
    atomic_fetch_or(&page->epoch, PAGE_EPOCH_CAPTURES);
}

static bool is_mode(const char *word)
{
    return strcmp(word, "on") == 0 || strcmp(word, "off") == 0 || strcmp(word, "marked") == 0;
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (count <= 0 || !is_mode(argv[1])) {
        fprintf(stderr, "usage: ledger-cost-loop on|off|marked CONNECTIONS\n");
        return 2;
    }
    struct err e;
    const struct probe_options options = {.ledger = strcmp(argv[1], "off") != 0};
    if (probe_start(-1, &options, &e) != 0 || probe_census_start(&e) != 0) {
        fprintf(stderr, "ledger-cost-loop: %s\n", e.text);
        return 1;
    }
    SSL_CTX *client;
    SSL_CTX *server;
    contexts_make(&client, &server);
    /* The first connections fill caches and tables that last for the process. */
    for (int i = 0; i < 3; i++)
        connection_run(client, server);
    if (strcmp(argv[1], "marked") == 0)
        mark_ssl_site(probe_page());
    ledger_cost_loop(client, server, count);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
