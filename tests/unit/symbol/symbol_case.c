/* SPDX-License-Identifier: Apache-2.0 */
/* A stripped library with a function that its symbol table doesn't name, between two that it does.
 * Built without debug information and with the functions in this order. */
#define EXPORTED __attribute__((visibility("default"), noinline))
#define HIDDEN   __attribute__((visibility("hidden"), noinline))

EXPORTED int case_first(int x);
EXPORTED int case_last(int x);
HIDDEN int unnamed(int x);
EXPORTED int (*case_unnamed(void))(int);

EXPORTED int case_first(int x)
{
    return x * 3 + 1;
}

/* Not static: those clang puts last. */
HIDDEN int unnamed(int x)
{
    return case_first(x) * 5 + case_first(x + 1);
}

EXPORTED int case_last(int x)
{
    return unnamed(x) + 7;
}

EXPORTED int (*case_unnamed(void))(int)
{
    return unnamed;
}
