/* SPDX-License-Identifier: Apache-2.0 */
/* What agents count, as lines, put together on the run's page. */
#include "channel/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct case_ {
    struct page *from[2], *sum; /* of two agents, and of the run */
    struct figures *told[2], *heard[2];
    int wrong;
};

static struct page *new_page(bool rows)
{
    struct page *p = calloc(1, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; rows && i < 2; i++) {
        snprintf(p->behaviour[i].name, sizeof p->behaviour[i].name, "%s", i ? "failed" : "clean");
        p->behaviour[i].weight = 1 - i;
        p->behaviours++;
    }
    return p;
}

static int set_up(void **state)
{
    struct case_ *c = calloc(1, sizeof *c);
    c->sum = new_page(false);
    for (int i = 0; i < 2; i++) {
        c->from[i] = new_page(true);
        c->told[i] = calloc(1, sizeof *c->told[i]);
        c->heard[i] = calloc(1, sizeof *c->heard[i]);
    }
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct case_ *c = *state;
    for (int i = 0; i < 2; i++) {
        free(c->from[i]);
        free(c->told[i]);
        free(c->heard[i]);
    }
    free(c->sum);
    free(c);
    return 0;
}

struct way {
    struct case_ *c;
    int agent;
};

static void carry(void *ctx, const char *line)
{
    struct way *w = ctx;
    assert_true(strlen(line) < LINE_MAX_BYTES);
    if (figures_hear(w->c->heard[w->agent], w->c->sum, line) != 0)
        w->c->wrong++;
}

static void tell(struct case_ *c, int agent)
{
    struct way w = {c, agent};
    figures_tell(c->told[agent], c->from[agent], carry, &w);
}

static void the_page_is_the_sum_of_all_agents(void **state)
{
    struct case_ *c = *state;
    for (int i = 0; i < 2; i++) {
        c->from[i]->app.opened = 100 + (uint64_t)i;
        c->from[i]->app.established = 30;
        c->from[i]->behaviour[0].begun[3] = 70;
        c->from[i]->behaviour[0].ended[4] = 60 + (uint64_t)i;
        c->from[i]->times.count = c->from[i]->times.bucket[9] = 5;
        c->from[i]->times.max = 1000 * (uint64_t)(i + 1);
        tell(c, i);
    }
    assert_int_equal(c->wrong, 0);
    assert_int_equal(c->sum->app.opened, 201);
    assert_int_equal(c->sum->app.established, 60);
    assert_int_equal(c->sum->behaviours, 2);
    assert_string_equal(c->sum->behaviour[1].name, "failed");
    assert_int_equal(c->sum->behaviour[0].begun[3], 140);
    assert_int_equal(c->sum->behaviour[0].ended[4], 121);
    assert_int_equal(c->sum->times.count, 10);
    assert_int_equal(c->sum->times.bucket[9], 10);
    assert_int_equal(c->sum->times.max, 2000);
}

static void only_what_has_changed_is_told(void **state)
{
    struct case_ *c = *state;
    c->from[0]->app.opened = 5;
    tell(c, 0);
    c->from[0]->app.established = 7;
    tell(c, 0);
    c->from[0]->app.established = 4; /* a gauge may fall */
    tell(c, 0);
    assert_int_equal(c->wrong, 0);
    assert_int_equal(c->sum->app.opened, 5);
    assert_int_equal(c->sum->app.established, 4);
}

static void what_a_lost_agent_held_has_closed(void **state)
{
    struct case_ *c = *state;
    for (int i = 0; i < 2; i++) {
        c->from[i]->app.opened = 100;
        c->from[i]->app.closed = 80;
        c->from[i]->app.established = 19;
        c->from[i]->app.in_flight = 1;
        tell(c, i);
    }
    figures_lose(c->heard[1], c->sum);
    assert_int_equal(c->sum->app.opened, 200);
    assert_int_equal(c->sum->app.closed, 180);
    assert_int_equal(c->sum->app.established, 19);
    assert_int_equal(c->sum->app.in_flight, 1);
}

static void what_can_not_be_is_refused_and_changes_nothing(void **state)
{
    struct case_ *c = *state;
    static const char *const wrong[] = {"app opened=4",
                                        "app opened=18446744073709551615",
                                        "row at=0 weight=1 name=clean",
                                        "row at=2 weight=1 name=",
                                        "row at=64 weight=1 name=x",
                                        "count at=2 epoch=0 begun=1 ended=1",
                                        "count at=0 epoch=64 begun=1 ended=1",
                                        "count at=0 epoch=0 begun=1",
                                        "times count=1",
                                        "bucket at=99999999 n=1",
                                        "bucket at=1"};
    c->from[0]->app.opened = 5;
    tell(c, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (figures_hear(c->heard[0], c->sum, wrong[i]) != FIGURES_WRONG)
            fail_msg("%s", wrong[i]);
    assert_int_equal(figures_hear(c->heard[0], c->sum, "say share=0 text=quiet"), FIGURES_OTHER);
    assert_int_equal(c->sum->app.opened, 5);
}

static void a_name_can_not_steer_the_terminal(void **state)
{
    struct case_ *c = *state;
    assert_int_equal(figures_hear(c->heard[0], c->sum, "row at=0 weight=1 name=a\x1b[2Jb"), 0);
    assert_null(strchr(c->sum->behaviour[0].name, '\x1b'));
}

static void agents_with_other_behaviours_can_not_be_added(void **state)
{
    struct case_ *c = *state;
    tell(c, 0);
    snprintf(c->from[1]->behaviour[0].name, sizeof c->from[1]->behaviour[0].name, "reset");
    tell(c, 1);
    assert_true(c->wrong > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_page_is_the_sum_of_all_agents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_has_changed_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_lost_agent_held_has_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_can_not_be_is_refused_and_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_can_not_steer_the_terminal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(agents_with_other_behaviours_can_not_be_added, set_up,
                                        tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
