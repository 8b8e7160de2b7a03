/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include "base/check.h"
#include "control/control.h"
#include "listen.h"
#include "options/limits.h"
#include "probe/heap_profile.h"
#include "probe/probe.h"
#include "sandbox/sandbox.h"
#include "shared.h"
#include "worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PUBLISH_MS = 1000, DEFERRED_SECONDS = 60, FINISH_SECONDS = 2 };

struct server {
    struct shared shared;
    struct worker *worker[LIMIT_WORKERS];
    uv_timer_t publish;
    uv_signal_t term, interrupt;
    struct control control;
    bool settle_asked, drain_asked, ending, quitting;
    int finishing; /* --paced: seconds since the epoch was to end early, from 1 on; 0: it isn't */
    uint64_t settle_id;
    int seconds_empty;
};

static void order_all(struct server *s, enum worker_order order)
{
    for (int i = 0; i < s->shared.options.workers; i++)
        worker_order(s->worker[i], order);
}

/* The other threads end first, while this one still takes their reports. */
static void quit(struct server *s)
{
    if (s->quitting)
        return;
    s->quitting = true;
    order_all(s, WORKER_QUIT);
    for (int i = 1; i < s->shared.options.workers; i++)
        uv_thread_join(&s->worker[i]->thread);
    atomic_store(&s->shared.deaf, true);
    uv_close((uv_handle_t *)&s->shared.report, NULL);
    defect_stop(s->shared.defect);
    fd_exhaustion_close(&s->shared.fd_exhaustion);
    control_close(&s->control);
    uv_close((uv_handle_t *)&s->publish, NULL);
    uv_close((uv_handle_t *)&s->term, NULL);
    uv_close((uv_handle_t *)&s->interrupt, NULL);
}

static void tell_problems(struct server *s)
{
    for (int i = 0; i < PROBLEMS; i++) {
        const char *text = shared_take_problem(&s->shared, (enum problem)i);
        if (!text)
            continue;
        control_say(&s->control, "problem text=%s", text);
        fprintf(stderr, "soak-server: %s\n", text);
    }
}

static void publish_caches(struct server *s)
{
    struct page_cache *sessions = &s->shared.page->cache[0];
    defect_publish(s->shared.defect, &s->shared.page->cache[1]);
    if (s->shared.options.session != SESSION_CACHE && !s->shared.options.early_data)
        return;
    snprintf(sessions->name, sizeof sessions->name, "session cache");
    SSL_CTX *ctx = contexts_shared(s->shared.contexts);
    atomic_store(&sessions->population, (uint64_t)SSL_CTX_sess_number(ctx));
    SSL_CTX_free(ctx);
    atomic_store(&sessions->capacity, s->shared.options.cache_size);
}

static void answer_settle(struct server *s)
{
    if (!s->settle_asked || atomic_load(&s->shared.settling) > 0)
        return;
    s->settle_asked = false;
    publish_caches(s);
    heap_profile_end();
    probe_publish(true);
    control_say(&s->control, "settled id=%llu", (unsigned long long)s->settle_id);
}

/* A program that holds connections open goes on with them only when it can go on. Whoever ends the
 * run waits for none that says nothing. */
static bool is_stuck(const struct server *s)
{
    const struct worker *w = s->worker[0];
    return s->shared.turns.on && (w->held_back || s->finishing > 0) && worker_at_rest(w);
}

static void answer_drain(struct server *s)
{
    if (s->drain_asked && is_stuck(s))
        worker_leave(s->worker[0]);
    bool listening = !s->shared.turns.on && atomic_load(&s->shared.listening) > 0;
    if (!s->drain_asked || listening || atomic_load(&s->shared.open) > 0)
        return;
    s->drain_asked = false;
    defect_drain(s->shared.defect);
    probe_on_drain();
    control_say(&s->control, "drained");
    if (s->ending)
        quit(s);
}

/* What is open then is of the epoch that is said, or of a later one. */
static void answer_quiet(struct server *s)
{
    struct turns *t = &s->shared.turns;
    if (!t->under_way || t->left > 0 || (atomic_load(&s->shared.open) > 0 && !is_stuck(s)))
        return;
    t->under_way = false;
    struct page *page = s->shared.page;
    control_say(&s->control, "quiet opened=%llu closed=%llu oldest=%llu",
                (unsigned long long)atomic_load(&page->app.opened),
                (unsigned long long)atomic_load(&page->app.closed),
                (unsigned long long)turns_oldest(t, page));
}

static void epoch(struct server *s, const char *line)
{
    uint64_t opens = 0;
    char text[LINE_MAX_BYTES];
    bool mixed = line_text(line, "mix", false, text, sizeof text) == 0;
    if (!s->shared.turns.on || line_number(line, "opens", &opens) < 0 ||
        turns_begin(&s->shared.turns, opens, mixed ? text : NULL) < 0) {
        control_say(&s->control, "fatal text=epoch: opens=NUMBER [mix=WEIGHT,...], with --paced");
        _exit(EXIT_FAILURE);
    }
    s->finishing = 0;
    worker_let_in(s->worker[0]);
    answer_quiet(s);
}

static void finish(struct server *s)
{
    s->finishing = 1;
    s->shared.turns.left = 0;
    answer_quiet(s);
}

static void on_report(uv_async_t *async)
{
    struct server *s = async->data;
    tell_problems(s);
    answer_quiet(s);
    answer_settle(s);
    answer_drain(s);
}

static void settle(struct server *s, const char *line)
{
    if (line_number(line, "id", &s->settle_id) < 0)
        s->settle_id = 0;
    s->settle_asked = true;
    contexts_checkpoint(s->shared.contexts);
    fd_exhaustion_put_off(&s->shared.fd_exhaustion); /* a heap profile is a file */
    heap_profile_begin(line);
    atomic_fetch_add(&s->shared.settling, s->shared.options.workers);
    order_all(s, WORKER_SETTLE);
}

static void drain(struct server *s, enum worker_order order)
{
    s->drain_asked = true;
    s->shared.turns.left = 0;
    defect_drain(s->shared.defect);
    if (!s->shared.turns.on) /* who waits there goes on waiting */
        order_all(s, order);
    shared_report(&s->shared);
}

static void flush(struct server *s)
{
    SSL_CTX *ctx = contexts_shared(s->shared.contexts);
    /* A time of 0 stands for every session, expired or not. */
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
    SSL_CTX_flush_sessions_ex(ctx, 0);
#else
    SSL_CTX_flush_sessions(ctx, 0);
#endif
    SSL_CTX_free(ctx);
    struct err e;
    if (contexts_reload(s->shared.contexts, &e) < 0)
        shared_problem(&s->shared, PROBLEM_TLS, "%s", e.text);
    defect_flush(s->shared.defect);
    control_say(&s->control, "flushed");
}

static void on_line(void *ctx, const char *line)
{
    struct server *s = ctx;
    if (s->quitting)
        return;
    if (line_is(line, "settle"))
        settle(s, line);
    else if (line_is(line, "drain"))
        drain(s, WORKER_DRAIN);
    else if (line_is(line, "epoch"))
        epoch(s, line);
    else if (line_is(line, "finish"))
        finish(s);
    else if (line_is(line, "flush"))
        flush(s);
    else if (line_is(line, "quit"))
        quit(s);
    else
        control_say(&s->control, "problem text=no such word: %.64s", line);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;
    (void)number;
    if (s->ending) {
        quit(s);
        return;
    }
    s->ending = true;
    drain(s, WORKER_LEAVE);
}

static void on_publish(uv_timer_t *timer)
{
    struct server *s = timer->data;
    probe_publish(false);
    answer_quiet(s);
    answer_drain(s);
    if (s->finishing && s->finishing++ > FINISH_SECONDS)
        worker_give_up(s->worker[0]);
    s->seconds_empty = atomic_load(&s->shared.open) == 0 ? s->seconds_empty + 1 : 0;
    if (s->seconds_empty == DEFERRED_SECONDS)
        defect_drain(s->shared.defect);
}

/* On any thread: a worker makes more of them with --ctx-reload and --ctx per-connection. */
static int make_context(void *shared, SSL_CTX **ret, struct err *e)
{
    const struct shared *s = shared;
    return server_tls_context(&s->tls, &s->options, ret, e);
}

static int open_tls(struct server *s, struct err *e)
{
    const struct options *o = &s->shared.options;
    const struct contexts_options contexts = {.make = make_context,
                                              .arg = &s->shared,
                                              .per_connection = o->ctx == CTX_PER_CONNECTION,
                                              .reload = o->ctx_reload};
    if (server_tls_open(&s->shared.tls, o, e) < 0)
        return -1;
    return contexts_new(&contexts, &s->shared.contexts, e);
}

static struct listen_request listen_request(const struct options *o)
{
    return (struct listen_request){.backlog = o->backlog,
                                   .use = (enum port_use)o->port_use,
                                   .count = o->workers,
                                   .asks = o->anywhere};
}

static int open_workers(struct server *s, struct err *e)
{
    int fds[LIMIT_WORKERS];
    const struct listen_request listen = listen_request(&s->shared.options);
    if (listen_open(&s->shared.options.address, &listen, fds, e) < 0)
        return -1;
    for (int i = 0; i < s->shared.options.workers; i++) {
        s->worker[i] = worker_new(&s->shared, fds[i], e);
        if (!s->worker[i])
            return -1;
    }
    return 0;
}

static int open_main(struct server *s, struct err *e)
{
    uv_loop_t *loop = &s->worker[0]->loop;
    uv_async_init(loop, &s->shared.report, on_report);
    uv_timer_init(loop, &s->publish);
    fd_exhaustion_init(&s->shared.fd_exhaustion, s->shared.options.emfile, loop, worker_turn_away,
                       s->worker[0]);
    uv_signal_init(loop, &s->term);
    uv_signal_init(loop, &s->interrupt);
    s->shared.report.data = s->publish.data = s->term.data = s->interrupt.data = s;
    uv_timer_start(&s->publish, on_publish, PUBLISH_MS, PUBLISH_MS);
    uv_signal_start(&s->term, on_signal, SIGTERM);
    defect_start(s->shared.defect, loop);
    s->control = (struct control){.on_line = on_line, .ctx = s};
    if (s->shared.options.control_fd >= 0)
        return control_open(&s->control, loop, s->shared.options.control_fd, e);
    uv_signal_start(&s->interrupt, on_signal, SIGINT);
    return 0;
}

/* All is open, and no other thread runs. With --ctx-reload the files are read again. */
static int enter_sandbox(const struct options *o, struct err *e)
{
    const char *const readable[] = {o->client_ca, o->authority};
    const struct sandbox_options sandbox = {.name = "soak-server",
                                            .readable = readable,
                                            .readables = sizeof readable / sizeof readable[0]};
    return o->no_sandbox ? 0 : sandbox_enter(&sandbox, e);
}

static void run_worker(void *worker)
{
    worker_run(worker);
}

static int start(struct server *s, struct err *e)
{
    char text[ADDRESS_TEXT], versions[128];
    for (int i = 1; i < s->shared.options.workers; i++) {
        int rc = uv_thread_create(&s->worker[i]->thread, run_worker, s->worker[i]);
        if (rc < 0)
            return err_set(e, "can't start a thread: %s", uv_strerror(rc));
    }
    if (s->control.open)
        control_say(&s->control, "ready port=%u %s", address_port(&s->shared.options.address),
                    probe_versions(versions, sizeof versions));
    else
        printf("listening on %s\n", address_print(&s->shared.options.address, text));
    fflush(stdout);
    return 0;
}

static void server_free(struct server *s)
{
    for (int i = 0; i < s->shared.options.workers; i++)
        worker_free(s->worker[i]);
    defect_free(s->shared.defect);
    conn_log_file_close(s->shared.log);
    contexts_free(s->shared.contexts);
    server_tls_fini(&s->shared.tls);
    free(s);
}

/* Whether one of the ciphers goes with one of the keys: `kRSA` needs an RSA key. */
static bool any_cipher_fits(SSL_CTX *ctx, const struct options *o)
{
    SSL *ssl = SSL_new(ctx);
    STACK_OF(SSL_CIPHER) *all = ssl ? SSL_get1_supported_ciphers(ssl) : NULL;
    bool fits = o->psk;
    for (int i = 0; all && i < sk_SSL_CIPHER_num(all); i++) {
        int nid = SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(all, i));
        fits |= nid == NID_auth_any || (nid == NID_auth_rsa && o->key != KEY_P256) ||
                (nid == NID_auth_ecdsa && o->key != KEY_RSA2048);
    }
    sk_SSL_CIPHER_free(all);
    SSL_free(ssl);
    return fits;
}

/* Takes what a server needs to start, and closes its sockets again. */
static int check(const struct options *o, struct server_tls *tls, SSL_CTX **ret_ctx, struct err *e)
{
    int fds[LIMIT_WORKERS];
    struct address address = o->address;
    const struct listen_request listen = listen_request(o);
    if ((o->ciphers && context_check_ciphers(o->ciphers, e) < 0) ||
        server_tls_open(tls, o, e) < 0 || server_tls_context(tls, o, ret_ctx, e) < 0 ||
        listen_open(&address, &listen, fds, e) < 0)
        return -1;
    for (int i = 0; i < o->workers; i++)
        close(fds[i]);
    if (any_cipher_fits(*ret_ctx, o))
        return 0;
    return err_set(e, "--ciphers %s: none of them goes with the server's key; give --key both",
                   o->ciphers ? o->ciphers : "");
}

int server_check(const struct options *o, struct err *e)
{
    struct server_tls tls = {0};
    SSL_CTX *ctx = NULL;
    char versions[128];
    int rc = check(o, &tls, &ctx, e);
    SSL_CTX_free(ctx);
    server_tls_fini(&tls);
    if (rc == 0)
        printf("checked %s\n", probe_versions(versions, sizeof versions));
    return rc;
}

int server_run(const struct options *o, struct err *e)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, "out of memory");
    s->shared.options = *o;
    s->shared.page = probe_page();
    s->shared.app = &s->shared.page->app;
    if (o->paced)
        turns_start(&s->shared.turns, o->server_mix, o->seed, s->shared.page);
    /* A failure here ends the process, so what was opened before it is left to the kernel. */
    if (probe_census_start(e) < 0 || open_tls(s, e) < 0 ||
        defect_new(o->defect, o->seed, &s->shared.defect, e) < 0)
        return -1;
    if (o->log && conn_log_file_open(o->log, &s->shared.log, e) < 0)
        return -1;
    if (!o->no_sandbox && sandbox_hide_io_uring(e) < 0)
        return -1;
    if (open_workers(s, e) < 0 || open_main(s, e) < 0 || enter_sandbox(o, e) < 0 || start(s, e) < 0)
        return -1;
    worker_run(s->worker[0]);
    server_free(s);
    return 0;
}
