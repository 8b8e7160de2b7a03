/* SPDX-License-Identifier: Apache-2.0 */
/* Removes what a test wrote below a folder of its own. Header-only, for the unit tests alone. */
#ifndef SOAK_TESTS_REMOVE_TREE_H
#define SOAK_TESTS_REMOVE_TREE_H

#include <ftw.h>
#include <stdio.h>

static int remove_tree_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

/* Returns 0, or what nftw says: as a teardown of cmocka does. */
static int remove_tree(const char *folder)
{
    return nftw(folder, remove_tree_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
