/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "base/check.h"
#include "control/event_loop.h"
#include "options/limits.h"
#include "page/snapshot.h"
#include "peer_tls.h"
#include "probe/probe.h"
#include "tls/context.h"

#include <stdlib.h>
#include <string.h>

static void reply(struct worker *w, enum worker_reply what)
{
    atomic_fetch_or(&w->replies, what);
    uv_async_send(w->shared->wake);
}

static void on_quiet(void *owner, uint64_t oldest_epoch)
{
    struct worker *w = owner;
    atomic_store(&w->oldest, oldest_epoch);
    reply(w, WORKER_IS_QUIET);
}

static void on_drained(void *owner)
{
    reply(owner, WORKER_IS_DRAINED);
}

static void on_failure(void *owner, const struct peer *p, enum peer_failure kind, const char *text)
{
    struct worker_shared *shared = ((struct worker *)owner)->shared;
    if (atomic_flag_test_and_set(&shared->failed[kind]))
        return;
    struct worker_failure *failure = &shared->failure[atomic_fetch_add(&shared->failures, 1)];
    failure->kind = kind;
    failure->behaviour =
        p->operation ? operation_name(p->operation) : behaviour_name((int)p->behaviour);
    strncpy(failure->text, text, sizeof failure->text - 1);
    atomic_store(&failure->ready, true);
    uv_async_send(shared->wake);
}

static void on_times(void *owner, const struct hist *times)
{
    page_times_add(&((struct worker *)owner)->shared->page->times, times);
}

/* Orders may have come together: the order of these lines is the order in which they make sense. */
static void on_wake(uv_async_t *wake)
{
    struct worker *w = wake->data;
    unsigned orders = atomic_exchange(&w->orders, 0);
    if (orders & WORKER_EPOCH)
        pool_epoch(&w->pool, atomic_load(&w->opens), &w->shared->mix);
    if (orders & WORKER_ALONE)
        pool_one_by_one(&w->pool, atomic_load(&w->opens), &w->shared->mix);
    if (orders & WORKER_FINISH)
        pool_finish(&w->pool);
    if (orders & WORKER_DRAIN)
        pool_drain(&w->pool);
    if (orders & WORKER_SETTLE) {
        probe_thread_flush();
        reply(w, WORKER_IS_SETTLED);
    }
    if (orders & WORKER_QUIT) {
        pool_stop(&w->pool);
        uv_close((uv_handle_t *)wake, NULL);
    }
}

static void run(void *arg)
{
    struct worker *w = arg;
    CHECK(uv_run(&w->loop, UV_RUN_DEFAULT) == 0);
    sessions_clear(&w->sessions);
}

void worker_order(struct worker *w, enum worker_order order)
{
    atomic_fetch_or(&w->orders, order);
    uv_async_send(&w->wake);
}

static bool wants_sessions(const struct options *o)
{
    return o->resume > 0 || recipe_needs_sessions(o->weight);
}

int worker_context_new(const struct options *o, SSL_CTX **ret, struct err *e)
{
    struct context_client_options tls = {
        .version = (enum tls_version)o->tls, .cert_path = o->client_cert, .alpn = o->alpn};
    return context_client_new(&tls, ret, e);
}

static int make_context(struct worker *w, struct err *e)
{
    const struct options *o = w->shared->options;
    if (worker_context_new(o, &w->ctx, e) < 0)
        return -1;
    if (w->shared->certs && client_certs_show_all(w->shared->certs, CLIENT_CERT_GOOD, w->ctx) < 0)
        return err_set(e, "%s: OpenSSL doesn't take it", o->client_certs);
    SSL_CTX_set_mode(w->ctx, worker_modes(o->conns));
    if (wants_sessions(o))
        sessions_attach(&w->sessions, w->ctx, peer_tls_session_fits_others);
    return 0;
}

static void make_pool(struct worker *w, int index)
{
    const struct options *o = w->shared->options;
    struct page *page = w->shared->page;
    double share = (double)w->slots / (double)o->conns;
    struct rng rng = {.state = o->seed + (uint64_t)index};
    struct pool_options options = {
        .slots = w->slots,
        .rate = {.per_s = o->churn.per_s * share, .max = o->churn.max},
        .operate = (enum operation)o->operate,
        .behaviour = page->behaviour,
        .rows = &w->shared->choice->rows,
        .holder = w->shared->choice->holder,
        .resume = o->resume,
        .seed = rng_next(&rng),
        .timeout_ns = o->timeout_ns ? o->timeout_ns : UINT64_MAX / 4,
        .epoch = &page->epoch,
        .owner = w,
        .on_quiet = on_quiet,
        .on_drained = on_drained,
        .on_failure = on_failure,
        .on_times = on_times,
    };
    struct peer_shared *s = &w->pool.shared;
    s->net.loop = &w->loop;
    s->net.events = &peer_events;
    s->ctx = w->ctx;
    s->target = &o->target;
    s->sni = o->sni;
    s->alpn = o->alpn;
    s->certs = w->shared->certs;
    s->starttls = (enum starttls_protocol)o->starttls;
    s->sessions = wants_sessions(o) ? &w->sessions : NULL;
    s->slots = w->slots;
    s->talk = &o->talk;
    s->payload = w->shared->payload;
    s->payload_bytes = (size_t)o->payload;
    s->app = &page->app;
    s->may_end = o->reloaded;
    pool_init(&w->pool, &options);
    w->pool.turn = w->first_slot; /* so that few workers with few sources use all of them */
}

struct worker *worker_new(struct worker_shared *shared, int index, struct err *e)
{
    const struct options *o = shared->options;
    uint64_t count = (uint64_t)o->workers, n = (uint64_t)index;
    struct worker *w = calloc(1, sizeof *w);
    CHECK(w);
    w->shared = shared;
    w->first_slot = load_share(o->conns, 0, n, count);
    w->slots = load_share(o->conns, n, n + 1, count);
    if (make_context(w, e) < 0 ||
        event_loop_open(&w->loop, load_need_files(o->conns, o->workers), e) < 0) {
        free(w);
        return NULL;
    }
    CHECK(uv_async_init(&w->loop, &w->wake, on_wake) == 0);
    w->wake.data = w;
    make_pool(w, index);
    return w;
}

int worker_start(struct worker *w, struct err *e)
{
    int rc = uv_thread_create(&w->thread, run, w);
    return rc < 0 ? err_set(e, "can't start a thread: %s", uv_strerror(rc)) : 0;
}

void worker_end(struct worker *w)
{
    worker_order(w, WORKER_QUIT);
    uv_thread_join(&w->thread);
    CHECK(uv_loop_close(&w->loop) == 0);
    SSL_CTX_free(w->ctx);
    free(w);
}
