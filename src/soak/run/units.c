/* SPDX-License-Identifier: Apache-2.0 */
#include "units.h"

static const struct page_app *app_of(const struct run *r)
{
    return &r->child[RUN_CLIENT].page->app;
}

bool units_are_operations(const struct run *r)
{
    return r->scenario->operate != OPERATE_NONE;
}

uint64_t units_begun(const struct run *r)
{
    return atomic_load(units_are_operations(r) ? &app_of(r)->operations : &app_of(r)->opened);
}

uint64_t units_ended(const struct run *r)
{
    return atomic_load(units_are_operations(r) ? &app_of(r)->operations : &app_of(r)->closed);
}
