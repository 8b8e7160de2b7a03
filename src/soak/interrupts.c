/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupts.h"

#include "base/check.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[INTERRUPTS] = {SIGINT, SIGTERM, SIGHUP};

static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct interrupts *i = handle->data;
    i->happened = true;
    i->fn(i->owner, number);
}

void interrupts_start(struct interrupts *i, uv_loop_t *loop, interrupt_fn fn, void *owner)
{
    i->fn = fn;
    i->happened = false;
    i->owner = owner;
    for (int n = 0; n < INTERRUPTS; n++) {
        CHECK(uv_signal_init(loop, &i->handle[n]) == 0);
        i->handle[n].data = i;
        if (numbers[n] == SIGINT || !is_ignored(numbers[n]))
            CHECK(uv_signal_start(&i->handle[n], on_signal, numbers[n]) == 0);
    }
}

void interrupts_unref(struct interrupts *i)
{
    for (int n = 0; n < INTERRUPTS; n++)
        uv_unref((uv_handle_t *)&i->handle[n]);
}

/* libuv gives a signal its default action back when its handle is closed. */
static void block_all(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (int n = 0; n < INTERRUPTS; n++)
        sigaddset(&set, numbers[n]);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

void interrupts_stop(struct interrupts *i)
{
    if (i->happened)
        block_all();
    for (int n = 0; n < INTERRUPTS; n++) {
        uv_handle_t *handle = (uv_handle_t *)&i->handle[n];
        if (handle->type == UV_SIGNAL && !uv_is_closing(handle))
            uv_close(handle, NULL);
    }
}
