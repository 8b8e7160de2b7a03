/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sampling costs, in CPU time per sample and as a share of a core, in a process that holds 30
 * TLS connections:
 *
 *   quick  jemalloc's totals and /proc/PID/statm, as ten times a second
 *   full   what `soak` takes every second: jemalloc's totals, the whole probe page, /proc without
 *          smaps_rollup
 *   exact  what a checkpoint takes: size classes and smaps_rollup too
 *
 * Usage: sampling [ROUNDS]. Exit 1 when ten quick samples a second take more than 0.1 % of a core.
 */
#include "base/check.h"
#include "measure/proc.h"
#include "page/snapshot.h"
#include "probe/probe.h"
#include "tls/context.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { OPEN = 30, QUICK_PER_S = 10 };

static const double LIMIT_PERCENT = 0.1;

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static SSL *end_new(SSL_CTX *ctx, BIO *bio)
{
    SSL *ssl = SSL_new(ctx);
    CHECK(ssl && bio);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

/* Never freed: they are the heap that is sampled. */
static void hold_connection(SSL_CTX *client_ctx, SSL_CTX *server_ctx)
{
    BIO *client_bio, *server_bio;
    CHECK(BIO_new_bio_pair(&client_bio, 0, &server_bio, 0) == 1);
    SSL *client = end_new(client_ctx, client_bio), *server = end_new(server_ctx, server_bio);
    while (!SSL_is_init_finished(client) || !SSL_is_init_finished(server)) {
        SSL_connect(client);
        SSL_accept(server);
    }
}

static void hold_connections(void)
{
    struct identity identity;
    SSL_CTX *client, *server;
    CHECK(identity_make(KEY_P256, "localhost", NULL, &identity, NULL) == 0);
    const struct context_server_options so = {
        .version = TLS_1_3, .session = SESSION_TICKET, .identity = &identity};
    const struct context_client_options co = {.version = TLS_1_3};
    CHECK(context_server_new(&so, &server, NULL) == 0);
    CHECK(context_client_new(&co, &client, NULL) == 0);
    for (int i = 0; i < OPEN; i++)
        hold_connection(client, server);
}

static void quick(void)
{
    struct proc_sample sample;
    probe_publish(false);
    CHECK(proc_sample_quick(getpid(), &sample, NULL) == 0);
}

static void read_page(void)
{
    struct snapshot snapshot;
    CHECK(snapshot_read(probe_page(), &snapshot, NULL) == 0);
    snapshot_free(&snapshot);
}

static void full(void)
{
    struct proc_sample sample;
    probe_publish(false);
    read_page();
    CHECK(proc_sample_full(getpid(), &sample, NULL) == 0);
}

static void exact(void)
{
    struct proc_sample sample;
    struct proc_rollup rollup;
    probe_publish(true);
    read_page();
    CHECK(proc_sample_full(getpid(), &sample, NULL) == 0);
    CHECK(proc_rollup_read(getpid(), &rollup, NULL) == 0);
}

static double us_each(void (*sample)(void), int rounds)
{
    sample();
    double began = cpu_us();
    for (int i = 0; i < rounds; i++)
        sample();
    return (cpu_us() - began) / rounds;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1000;
    struct err e;
    const struct probe_options options = {.ledger = true};
    if (rounds <= 0) {
        fputs("usage: sampling [ROUNDS]\n", stderr);
        return 2;
    }
    if (probe_start(-1, &options, &e) != 0 || probe_census_start(&e) != 0) {
        fprintf(stderr, "sampling: %s\n", e.text);
        return 1;
    }
    hold_connections();
    double quick_us = us_each(quick, rounds), percent = quick_us * QUICK_PER_S / 1e4;
    double full_us = us_each(full, rounds), exact_us = us_each(exact, rounds);
    bool ok = percent <= LIMIT_PERCENT;
    printf("quick  %8.1f us a sample, %d a second take %.4f %% of a core (limit %.1f %%): %s\n",
           quick_us, QUICK_PER_S, percent, LIMIT_PERCENT, ok ? "ok" : "too much");
    printf("full   %8.1f us a sample, once a second takes %.4f %% of a core\n", full_us,
           full_us / 1e4);
    printf("exact  %8.1f us a sample, at checkpoints only\n", exact_us);
    return ok ? 0 : 1;
}
