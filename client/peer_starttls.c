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
    if (!p->recipe->in_prelude || !leave_is_due(p))
        return true;
    leave_at_point(p);
    return false;
}

static struct prelude_io io_of(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct wire_out *out = &p->shared->out;
    _Static_assert((int)PRELUDE_OUT_BYTES <= (int)WIRE_OUT_BYTES, "a dialogue's words have room");
    CHECK(out->used == 0);
    return (struct prelude_io){.in = bytes, .in_left = count, .out = out->bytes};
}

void peer_prelude_begin(struct peer *p)
{
    p->prelude = prelude_new(p->shared->starttls, PRELUDE_CLIENT, p->shared->sni);
    CHECK(p->prelude); /* libuv itself has no way on without memory */
    struct prelude_io io = io_of(p, NULL, 0);
    prelude_start(p->prelude, &io);
    p->shared->out.used = io.out_used;
    uv_os_fd_t fd;
    if (io.out_used == 0 && uv_fileno((uv_handle_t *)&p->tcp, &fd) == 0 && target_hear_first(fd))
        peer_set_state(p, PEER_PRELUDE);
    speak(p);
}

static void go_on(struct peer *p)
{
    prelude_free(p->prelude);
    p->prelude = NULL;
    peer_set_state(p, PEER_HANDSHAKE);
    peer_begin(p);
}

void peer_prelude_received(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct err why;
    struct prelude_io io = io_of(p, bytes, count);
    enum prelude_result result = prelude_feed(p->prelude, &io, &why);
    p->shared->out.used = io.out_used;
    if (!speak(p) || result == PRELUDE_MORE)
        return;
    if (p->recipe->in_prelude && prelude_asked(p->prelude))
        leave_at_point(p); /* its deed is done and answered */
    else if (result == PRELUDE_FAILED)
        peer_fail(p, PEER_FAIL_HANDSHAKE, "a prelude failed: %s", why.text);
    else
        go_on(p);
}

bool peer_prelude_ended(struct peer *p)
{
    if (p->state != PEER_PRELUDE || !p->recipe->in_prelude || !prelude_asked(p->prelude))
        return false;
    peer_close(p);
    p->shared->on_aborted(p);
    return true;
}
