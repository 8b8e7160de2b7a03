/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_starttls.h"

#include "base/check.h"
#include "leave.h"
#include "recipe.h"
#include "starttls/starttls.h"

/* Sends what is to be said; false when the peer goes no further with the dialogue. */
static bool speak(struct peer *p)
{
    peer_flush(p);
    if (p->broken) {
        peer_ended(p, p->broken);
        return false;
    }
    if (!p->recipe->in_starttls || !leave_is_due(p))
        return true;
    leave_at_point(p);
    return false;
}

static struct starttls_io io_of(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct wire_out *out = &p->shared->out;
    _Static_assert((int)STARTTLS_OUT_BYTES <= (int)WIRE_OUT_BYTES, "a dialogue's words have room");
    CHECK(out->used == 0);
    return (struct starttls_io){.in = bytes, .in_left = count, .out = out->bytes};
}

void peer_starttls_begin(struct peer *p)
{
    p->starttls = starttls_new(p->shared->starttls, STARTTLS_CLIENT, p->shared->sni);
    CHECK(p->starttls); /* libuv itself has no way on without memory */
    struct starttls_io io = io_of(p, NULL, 0);
    starttls_start(p->starttls, &io);
    p->shared->out.used = io.out_used;
    uv_os_fd_t fd;
    if (io.out_used == 0 && uv_fileno((uv_handle_t *)&p->tcp, &fd) == 0 && target_hear_first(fd))
        peer_set_state(p, PEER_STARTTLS);
    speak(p);
}

static void go_on(struct peer *p)
{
    starttls_free(p->starttls);
    p->starttls = NULL;
    peer_set_state(p, PEER_HANDSHAKE);
    peer_begin(p);
}

void peer_starttls_received(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct err why;
    struct starttls_io io = io_of(p, bytes, count);
    enum starttls_result result = starttls_feed(p->starttls, &io, &why);
    p->shared->out.used = io.out_used;
    if (!speak(p) || result == STARTTLS_MORE)
        return;
    if (p->recipe->in_starttls && starttls_asked(p->starttls))
        leave_at_point(p); /* its deed is done and answered */
    else if (result == STARTTLS_FAILED)
        peer_fail(p, PEER_FAIL_HANDSHAKE, "the STARTTLS dialogue failed: %s", why.text);
    else
        go_on(p);
}

bool peer_starttls_ended(struct peer *p)
{
    if (p->state != PEER_STARTTLS || !p->recipe->in_starttls || !starttls_asked(p->starttls))
        return false;
    peer_close(p);
    p->shared->on_aborted(p);
    return true;
}
