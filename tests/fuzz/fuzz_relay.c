/* SPDX-License-Identifier: Apache-2.0 */
/* What a run says to an agent, in pieces: soak/agent/relay.c itself, whose channel and children do
 * nothing. A client that it would start has options that an agent takes, and no others. The first
 * byte says how long a piece is. */
#include "base/line.h"
#include "fuzz.h"

#include <stdarg.h>

/* Each input would say that it has joined. */
#define fprintf(...) ((void)0)
#include "soak/agent/relay.c"

const struct command *const commands[] = {NULL}; /* the program's; none is run here */

void __wrap_channel_say(struct channel *c, const char *format, ...);
void __wrap_channel_close(struct channel *c);
int __wrap_child_start(struct child *c, const struct child_launch *launch, struct err *e);
void __wrap_child_send(struct child *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void __wrap_child_kill(struct child *c);
void __wrap_interrupts_stop(struct interrupts *i);
void __wrap_handle_close(void *handle);

static bool closed;

void __wrap_channel_say(struct channel *c, const char *format, ...)
{
    (void)c;
    (void)format;
}

void __wrap_channel_close(struct channel *c)
{
    (void)c;
    closed = true;
}

int __wrap_child_start(struct child *c, const struct child_launch *launch, struct err *e)
{
    size_t count = 1;
    (void)c;
    (void)e;
    while (launch->argv[count])
        count++;
    CHECK(count < ARGS_MAX && launch->argv[count - 1] == args_page);
    for (size_t i = 1; i + 2 < count; i++)
        CHECK(args_client_takes(launch->argv[i]));
    return 0;
}

void __wrap_child_send(struct child *c, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    (void)c;
    va_start(args, format);
    CHECK(vsnprintf(text, sizeof text, format, args) < (int)sizeof text);
    va_end(args);
}

void __wrap_child_kill(struct child *c)
{
    (void)c;
}

void __wrap_interrupts_stop(struct interrupts *i)
{
    (void)i;
}

void __wrap_handle_close(void *handle)
{
    (void)handle;
}

static void hear(void *ctx, const char *line)
{
    struct relay *r = ctx;
    if (!closed) /* which hears nothing more */
        on_channel_line(&r->channel, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct page *page; /* large */
    struct relay *r = calloc(1, sizeof *r);
    struct line_reader reader = {0};
    if (!page)
        page = calloc(1, sizeof *page);
    if (!r || !page)
        abort();
    closed = false;
    r->page = page;
    r->channel.owner = r;
    size_t piece = count ? 1 + (size_t)bytes[0] : 1;
    for (size_t at = 1; at < count && !closed; at += piece) {
        size_t size = count - at < piece ? count - at : piece;
        char *copy = fuzz_text(bytes + at, size);
        int done = line_reader_feed(&reader, copy, size, hear, r);
        free(copy);
        if (done != 0)
            break;
    }
    for (size_t i = 0; i < LIMIT_PROCESSES; i++)
        free(r->share[i]);
    free(r);
    return 0;
}
