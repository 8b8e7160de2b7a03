/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "base/check.h"
#include "conn.h"
#include "control/event_loop.h"
#include "listen.h"
#include "probe/probe.h"
#include "shared.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WORKER_MAGIC = 0x776f726b,
    TICK_MS = 100,
    LINGER_MS = 5000,
    REST_MS = 2000,
    OTHER_FILES = 64
};

static struct worker *worker_of(void *data)
{
    struct worker *w = data;
    CHECK(w && w->magic == WORKER_MAGIC);
    return w;
}

/* Closes the first connection of the load that waits; strangers before it are turned away as they
 * are by conn_accept. Returns whether there was one. */
static bool close_waiting(struct worker *w)
{
    int listener, fd = -1;
    bool foreign = true;
    if (uv_fileno((uv_handle_t *)&w->listener, &listener) < 0)
        return false;
    while (foreign && (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        foreign = listen_is_foreign(fd, w->shared->options.client_net_from);
        if (foreign)
            counter_add(&w->shared->app->foreign);
        close(fd);
    }
    return !foreign;
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void close_spare(struct worker *w)
{
    if (w->spare_file >= 0)
        close(w->spare_file);
    w->spare_file = -1;
}

static void on_refill(uv_prepare_t *prepare)
{
    uv_prepare_stop(prepare);
    worker_of(prepare->data)->spare_file = open_spare();
}

/* libuv has a reserve of its own, which is a folder at the second time: the sandbox refuses it. It
 * then tries, until 1.44, as long as no descriptor is free, whether anybody waits or not: so one is
 * until the loop is about to wait. */
static void shed(struct worker *w)
{
    close_spare(w);
    while (close_waiting(w))
        ;
    uv_prepare_start(&w->refill, on_refill);
    shared_problem(w->shared, PROBLEM_ACCEPT,
                   "too many open files: raise `ulimit -n` or hold fewer connections");
}

bool worker_turn_away(void *worker)
{
    struct worker *w = worker_of(worker);
    if (!close_waiting(w))
        return false;
    counter_add(&w->shared->app->expected_aborts);
    shared_problem(w->shared, PROBLEM_ACCEPT,
                   "too many open files, as --emfile wants: a connection was closed");
    return true;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct worker *w = worker_of(stream->data);
    if (status == 0 && !turns_take(&w->shared->turns)) {
        w->held_back = true; /* libuv waits for uv_accept before it looks for others */
    } else if (status == 0) {
        conn_accept(w, stream);
        fd_exhaustion_after_accept(&w->shared->fd_exhaustion);
    } else if (status == UV_EMFILE && fd_exhaustion_met(&w->shared->fd_exhaustion)) {
        return;
    } else if (status == UV_EMFILE || status == UV_ENFILE) {
        shed(w);
    } else {
        shared_problem(w->shared, PROBLEM_ACCEPT, "can't accept: %s", uv_strerror(status));
    }
}

void worker_let_in(struct worker *w)
{
    bool held_back = w->held_back;
    w->held_back = false;
    if (held_back)
        on_connection((uv_stream_t *)&w->listener, 0);
}

static void expire(struct worker *w, struct deadline_list *list)
{
    struct deadline *node;
    while ((node = deadline_expired(list, uv_now(&w->loop))))
        conn_expire(node);
}

static void on_tick(uv_timer_t *timer)
{
    struct worker *w = worker_of(timer->data);
    expire(w, &w->handshaking);
    expire(w, &w->idle);
    expire(w, &w->lingering);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct worker *w = worker_of(handle->data);
    atomic_fetch_sub(&w->shared->listening, 1);
    shared_report(w->shared);
}

static void stop_listening(struct worker *w)
{
    if (w->listening)
        uv_close((uv_handle_t *)&w->listener, on_listener_closed);
    w->listening = false;
}

static void each(struct deadline_list *list, void (*act)(struct deadline *))
{
    struct deadline *next;
    for (struct deadline *node = list->head.next; node != &list->head; node = next) {
        next = node->next;
        act(node);
    }
}

void worker_leave(struct worker *w)
{
    each(&w->idle, conn_leave);
}

bool worker_at_rest(const struct worker *w)
{
    const struct deadline *youngest = w->idle.head.previous;
    return !deadline_oldest(&w->handshaking) && !deadline_oldest(&w->lingering) &&
           deadline_oldest(&w->idle) && uv_now(&w->loop) - youngest->since_ms >= REST_MS;
}

void worker_give_up(struct worker *w)
{
    struct deadline *oldest;
    while ((oldest = deadline_oldest(&w->handshaking)) &&
           uv_now(&w->loop) - oldest->since_ms >= REST_MS)
        conn_drop(oldest);
}

static void quit(struct worker *w)
{
    if (w->quitting)
        return;
    w->quitting = true;
    stop_listening(w);
    each(&w->handshaking, conn_drop);
    each(&w->idle, conn_drop);
    each(&w->lingering, conn_drop);
    uv_close((uv_handle_t *)&w->tick, NULL);
    uv_close((uv_handle_t *)&w->refill, NULL);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

static void on_wake(uv_async_t *async)
{
    struct worker *w = worker_of(async->data);
    unsigned orders = atomic_exchange(&w->orders, 0);
    if (orders & (WORKER_DRAIN | WORKER_LEAVE))
        stop_listening(w);
    if (orders & WORKER_LEAVE) {
        each(&w->handshaking, conn_drop);
        worker_leave(w);
    }
    if (orders & WORKER_SETTLE) {
        probe_thread_flush();
        atomic_fetch_sub(&w->shared->settling, 1);
        shared_report(w->shared);
    }
    if (orders & WORKER_QUIT)
        quit(w);
}

void worker_order(struct worker *w, enum worker_order order)
{
    atomic_fetch_or(&w->orders, order);
    uv_async_send(&w->wake);
}

static int open_listener(struct worker *w, int listen_fd)
{
    int rc = uv_tcp_init(&w->loop, &w->listener);
    if (rc == 0)
        rc = uv_tcp_open(&w->listener, listen_fd);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&w->listener, w->shared->options.backlog, on_connection);
    w->listener.data = w;
    return rc;
}

static int last_file(void)
{
    struct rlimit files;
    bool limited = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < INT_MAX;
    return limited ? (int)files.rlim_cur - 1 : INT_MAX;
}

struct worker *worker_new(struct shared *shared, int listen_fd, struct err *e)
{
    const struct options *o = &shared->options;
    struct worker *w = calloc(1, sizeof *w);
    CHECK(w);
    int rc = event_loop_open(&w->loop, o->conns + (uint64_t)o->backlog + OTHER_FILES, e);
    if (rc < 0)
        return NULL;
    w->magic = WORKER_MAGIC;
    w->shared = shared;
    w->last_file = last_file();
    w->spare_file = open_spare();
    w->net.loop = &w->loop;
    w->net.events = &conn_events;
    deadline_list_init(&w->handshaking, o->handshake_timeout_ns / 1000000);
    deadline_list_init(&w->idle, o->idle_timeout_ns / 1000000);
    deadline_list_init(&w->lingering, LINGER_MS);
    w->wake.data = w->tick.data = w->refill.data = w;
    if ((rc = uv_async_init(&w->loop, &w->wake, on_wake)) < 0 ||
        (rc = uv_prepare_init(&w->loop, &w->refill)) < 0 ||
        (rc = uv_timer_init(&w->loop, &w->tick)) < 0 ||
        (rc = uv_timer_start(&w->tick, on_tick, TICK_MS, TICK_MS)) < 0 ||
        (rc = open_listener(w, listen_fd)) < 0)
        goto fail;
    w->listening = true;
    atomic_fetch_add(&shared->listening, 1);
    return w;
fail:
    /* The process ends on this: the loop's few handles aren't worth a second way of closing. */
    err_set(e, "can't start an event loop: %s", uv_strerror(rc));
    return NULL;
}

void worker_run(struct worker *w)
{
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

void worker_free(struct worker *w)
{
    int rc = uv_loop_close(&w->loop);
    CHECK(rc == 0);
    close_spare(w);
    free(w);
}
