/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to know of a run's connections: the client's, and those of others. */
#include "checkpoint.h"

#include "subject/agent_load.h"

/* Those that the server turned away because it was told to be short of files weren't meant to
 * succeed: the client can't tell them from others. */
static uint64_t failed_of(const struct run *r)
{
    uint64_t failed = loop_failed(r);
    uint64_t meant = atomic_load(&run_judged(r)->subject->child.page->app.expected_aborts);
    return failed > meant ? failed - meant : 0;
}

/* What the server has accepted, those that --emfile closed among them, beyond what the client has
 * begun; at least, as one that the client began and the server never saw hides one of them. In IPv6
 * there is one address for all; in IPv4 they took one of the run's network, which everybody may see
 * on the server's command line. The server's count is read first, so that none of ours is taken for
 * one. */
uint64_t checkpoint_foreign_served(const struct run *r)
{
    if (!run_judged_can(r, SUBJECT_COUNTS_CONNECTIONS))
        return 0;
    const struct page_app *server = &run_judged(r)->subject->child.page->app;
    uint64_t accepted = atomic_load(&server->opened) + atomic_load(&server->expected_aborts);
    uint64_t begun = atomic_load(&run_load(r)->subject->child.page->app.opened);
    /* What a lost agent had begun last, nobody knows. */
    bool known = agent_load_losses(run_load(r)->subject) == 0;
    return known && accepted > begun ? accepted - begun : 0;
}

/* With those that the server told by their address, and turned away. */
uint64_t checkpoint_foreign(const struct run *r)
{
    if (!run_judged_can(r, SUBJECT_COUNTS_CONNECTIONS))
        return 0;
    return atomic_load(&run_judged(r)->subject->child.page->app.foreign) +
           checkpoint_foreign_served(r);
}

struct judge_load checkpoint_load(const struct run *r)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    return (struct judge_load){.failed = failed_of(r),
                               .closed = atomic_load(&app->closed),
                               .established = atomic_load(&app->established),
                               .operations = atomic_load(&app->operations),
                               .by_operation = run_unit(r) == UNIT_OPERATION};
}

uint64_t checkpoint_at_once(const struct run *r)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    return !r->scenario->client ? r->scenario->conns
           : r->scenario->loop  ? 0
                                : atomic_load(&app->most);
}
