/* SPDX-License-Identifier: Apache-2.0 */
#include "defect.h"

#include "base/check.h"
#include "base/rng.h"
#include "defect_stores.h"
#include "options/choices.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
    LOST_STATE_BYTES = 32, /* tcn_ssl_state_t of netty-tcnative 2.0.27 */
    ERROR_STATE_BYTES = 48,
    RESET_STATE_BYTES = 64,
    NAMED_STATE_BYTES = 96,
    NAME_BYTES = 24,
    OUTSIDE_BYTES = 48,
    OPERATION_BYTES = 40,
    TICK_MS = 10,
    TICK_BYTES = 64,
    TABLE_FIRST_BYTES = 64,
    TABLE_GROWN_BYTES = 4096,
    TABLE_GROWS_AT = 1000, /* connections */
    PEERS_CAPACITY = 2000,
    PEER_BYTES = 256
};

/* A closed connection's SSL that something still holds on to. */
struct held {
    SSL **ssl;
    size_t count, room;
};

struct defect {
    enum defect_kind kind;
    uint64_t one_in, seed;
    atomic_uint_fast64_t eligible, accepted;
    int ex_index;
    uv_timer_t tick;
    bool ticking;
    pthread_mutex_t lock; /* for all below */
    struct held held;
    void *table;
    void *peer[PEERS_CAPACITY];
    uint64_t peers_added, peers_dropped, peers_published;
    bool peers_known;        /* the page has their capacity */
    struct records *records; /* owned; NULL without the defect `fragment` */
    struct names *names;     /* owned; NULL without the defect `table` */
};

/* Forgets a block. The compiler can't see where it goes, so it can't remove the allocation. */
static void lose(void *block)
{
    __asm__ volatile("" : : "r"(block) : "memory");
}

/* One in each N that could be hit. No state but a counter, so the workers share it. */
static bool hit(struct defect *d)
{
    uint64_t at = atomic_fetch_add(&d->eligible, 1);
    if (d->one_in == 1)
        return true;
    struct rng r = {.state = d->seed + at / d->one_in * 0x9e3779b97f4a7c15ull};
    return at % d->one_in == rng_below(&r, d->one_in);
}

static void lost_state_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    if (!hit(d))
        return;
    void *state = OPENSSL_zalloc(LOST_STATE_BYTES);
    SSL_set_ex_data(ssl, d->ex_index, state);
}

static void peer_cert_ref_done(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    if (!hit(d))
        return;
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    X509 *cert = SSL_get1_peer_certificate(ssl);
#else
    X509 *cert = SSL_get_peer_certificate(ssl);
#endif
    lose(cert);
}

static void session_ref_done(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    if (hit(d))
        lose(SSL_get1_session(ssl));
}

/* The connection's memory goes away; what is held must not point into it. */
static bool held_add(struct defect *d, SSL *ssl)
{
    struct held *h = &d->held;
    if (!hit(d))
        return false;
    SSL_set_bio(ssl, NULL, NULL);
    pthread_mutex_lock(&d->lock);
    if (h->count == h->room) {
        h->room = h->room ? 2 * h->room : 64;
        h->ssl = realloc(h->ssl, h->room * sizeof *h->ssl);
        CHECK(h->ssl);
    }
    h->ssl[h->count++] = ssl;
    pthread_mutex_unlock(&d->lock);
    return true;
}

static void error_state_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)d;
    (void)ssl;
    c->state = OPENSSL_zalloc(ERROR_STATE_BYTES);
}

static void reset_state_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)d;
    (void)ssl;
    c->state = OPENSSL_zalloc(RESET_STATE_BYTES);
}

static void state_free(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)d;
    (void)ssl;
    OPENSSL_free(c->state);
    c->state = NULL;
}

/* The path that forgets: without memory for the name, the state that was made before it stays. */
static void named_state_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)d;
    (void)ssl;
    void *state = OPENSSL_zalloc(NAMED_STATE_BYTES);
    void *name = state ? OPENSSL_malloc(NAME_BYTES) : NULL;
    lose(state);
    if (!name)
        return;
    OPENSSL_free(name);
    c->state = state;
}

/* The path that forgets: nobody frees the state of a connection that ends this way. */
static void state_forget(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)ssl;
    if (c->state && hit(d))
        c->state = NULL;
}

static void outside_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    (void)ssl;
    if (!hit(d))
        return;
    char *name = malloc(OUTSIDE_BYTES);
    CHECK(name);
    memset(name, 'n', OUTSIDE_BYTES);
    lose(name);
}

static void fd_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    (void)ssl;
    if (hit(d))
        lose((void *)(intptr_t)eventfd(0, EFD_CLOEXEC));
}

static void table_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    (void)ssl;
    uint64_t nth = atomic_fetch_add(&d->accepted, 1) + 1;
    if (nth != 1 && nth != TABLE_GROWS_AT)
        return;
    pthread_mutex_lock(&d->lock);
    OPENSSL_free(d->table);
    d->table = OPENSSL_zalloc(nth == 1 ? TABLE_FIRST_BYTES : TABLE_GROWN_BYTES);
    pthread_mutex_unlock(&d->lock);
}

static void peers_drop_oldest(struct defect *d)
{
    OPENSSL_free(d->peer[d->peers_dropped++ % PEERS_CAPACITY]);
}

static void peers_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    (void)ssl;
    if (!hit(d))
        return;
    pthread_mutex_lock(&d->lock);
    if (d->peers_added - d->peers_dropped == PEERS_CAPACITY)
        peers_drop_oldest(d);
    d->peer[d->peers_added++ % PEERS_CAPACITY] = OPENSSL_zalloc(PEER_BYTES);
    pthread_mutex_unlock(&d->lock);
}

static void records_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    (void)ssl;
    if (hit(d))
        records_add(d->records);
}

static void names_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    (void)c;
    (void)ssl;
    if (hit(d))
        names_add(d->names);
}

static void per_operation_message(struct defect *d, SSL *ssl)
{
    if (hit(d))
        notes_add(d->ex_index, ssl);
}

static void operation_lose(struct defect *d, SSL *ssl)
{
    (void)ssl;
    if (hit(d))
        lose(OPENSSL_zalloc(OPERATION_BYTES));
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    lose(OPENSSL_zalloc(TICK_BYTES));
}

void defect_start(struct defect *d, uv_loop_t *loop)
{
    if (d->kind != DEFECT_PER_TIME)
        return;
    d->ticking = true;
    uv_timer_init(loop, &d->tick);
    uv_timer_start(&d->tick, on_tick, TICK_MS, TICK_MS);
}

void defect_stop(struct defect *d)
{
    if (d->ticking)
        uv_close((uv_handle_t *)&d->tick, NULL);
    d->ticking = false;
}

static const struct {
    void (*on_accept)(struct defect *d, struct defect_conn *c, SSL *ssl);
    void (*on_done)(struct defect *d, struct defect_conn *c, SSL *ssl);
    void (*on_failed)(struct defect *d, struct defect_conn *c, SSL *ssl);
    void (*on_reset)(struct defect *d, struct defect_conn *c, SSL *ssl);
    void (*on_close)(struct defect *d, struct defect_conn *c, SSL *ssl);
    bool (*takes_ssl)(struct defect *d, SSL *ssl);
    void (*on_message)(struct defect *d, SSL *ssl);
} hooks[] = {
    [DEFECT_NONE] = {0},
    [DEFECT_LOST_STATE] = {.on_accept = lost_state_accept},
    [DEFECT_PEER_CERT_REF] = {.on_done = peer_cert_ref_done},
    [DEFECT_SSL_RETAINED] = {.takes_ssl = held_add},
    [DEFECT_FREE_DEFERRED] = {.takes_ssl = held_add},
    [DEFECT_SESSION_REF] = {.on_done = session_ref_done},
    [DEFECT_ERROR_PATH] = {.on_accept = error_state_accept,
                           .on_done = state_free,
                           .on_failed = state_forget,
                           .on_close = state_free},
    [DEFECT_RESET_PATH] = {.on_accept = reset_state_accept,
                           .on_reset = state_forget,
                           .on_close = state_free},
    [DEFECT_OUTSIDE] = {.on_accept = outside_accept},
    [DEFECT_FRAGMENT] = {.on_accept = records_accept},
    [DEFECT_PER_TIME] = {0}, /* defect_start */
    [DEFECT_ONE_TIME] = {.on_accept = table_accept},
    [DEFECT_CACHE] = {.on_accept = peers_accept},
    [DEFECT_FD] = {.on_accept = fd_accept},
    [DEFECT_PER_OPERATION] = {.on_message = per_operation_message},
    [DEFECT_OPERATION_LOST] = {.on_message = operation_lose},
    [DEFECT_TABLE] = {.on_accept = names_accept},
    [DEFECT_ALLOC_FAIL_PATH] = {.on_accept = named_state_accept, .on_close = state_free},
};

void defect_on_accept(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    if (hooks[d->kind].on_accept)
        hooks[d->kind].on_accept(d, c, ssl);
}

void defect_on_handshake_done(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    if (hooks[d->kind].on_done)
        hooks[d->kind].on_done(d, c, ssl);
}

void defect_on_handshake_failed(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    if (hooks[d->kind].on_failed)
        hooks[d->kind].on_failed(d, c, ssl);
}

void defect_on_reset(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    if (hooks[d->kind].on_reset)
        hooks[d->kind].on_reset(d, c, ssl);
}

bool defect_on_close(struct defect *d, struct defect_conn *c, SSL *ssl)
{
    if (hooks[d->kind].on_close)
        hooks[d->kind].on_close(d, c, ssl);
    return hooks[d->kind].takes_ssl && hooks[d->kind].takes_ssl(d, ssl);
}

void defect_on_message(struct defect *d, SSL *ssl)
{
    if (hooks[d->kind].on_message)
        hooks[d->kind].on_message(d, ssl);
}

void defect_drain(struct defect *d)
{
    if (d->kind != DEFECT_FREE_DEFERRED)
        return;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->held.count; i++)
        SSL_free(d->held.ssl[i]);
    free(d->held.ssl);
    d->held = (struct held){0};
    pthread_mutex_unlock(&d->lock);
}

void defect_flush(struct defect *d)
{
    pthread_mutex_lock(&d->lock);
    while (d->peers_dropped < d->peers_added)
        peers_drop_oldest(d);
    pthread_mutex_unlock(&d->lock);
}

void defect_publish(struct defect *d, struct page_cache *ret)
{
    if (d->kind != DEFECT_CACHE)
        return;
    pthread_mutex_lock(&d->lock);
    snprintf(ret->name, sizeof ret->name, "peer table");
    /* Other processes of the server have tables of their own. */
    uint64_t population = d->peers_added - d->peers_dropped;
    atomic_fetch_add(&ret->population, population - d->peers_published);
    if (!d->peers_known)
        atomic_fetch_add(&ret->capacity, PEERS_CAPACITY);
    d->peers_published = population;
    d->peers_known = true;
    pthread_mutex_unlock(&d->lock);
}

static bool loses_on_purpose;

#if defined(__SANITIZE_ADDRESS__)
/* LeakSanitizer asks for it before it looks for leaks, when the program ends. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
    return loses_on_purpose;
}
#endif

int defect_new(const char *text, uint64_t seed, struct defect **ret, struct err *e)
{
    enum defect_kind kind = DEFECT_NONE;
    uint64_t one_in = 1;
    if (text && defect_parse(text, &kind, &one_in, e) < 0)
        return -1;
    struct defect *d = calloc(1, sizeof *d);
    if (!d)
        return err_set(e, "out of memory");
    d->kind = kind;
    d->one_in = one_in;
    d->seed = seed;
    pthread_mutex_init(&d->lock, NULL);
    loses_on_purpose = kind != DEFECT_NONE;
    if (kind == DEFECT_LOST_STATE) /* without the free callback that would have mended it */
        d->ex_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (kind == DEFECT_PER_OPERATION)
        d->ex_index = notes_index();
    d->records = kind == DEFECT_FRAGMENT ? records_new() : NULL;
    d->names = kind == DEFECT_TABLE ? names_new() : NULL;
    *ret = d;
    return 0;
}

void defect_free(struct defect *d)
{
    if (!d)
        return;
    defect_drain(d);
    defect_flush(d);
    OPENSSL_free(d->table);
    records_free(d->records);
    names_free(d->names);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
