/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug information from the servers of DEBUGINFOD_URLS, through libdebuginfod, which libdwfl loads
 * where it is installed. Internal to src/common/symbol.
 */
#ifndef SOAK_SYMBOL_SYMBOL_SERVERS_H
#define SOAK_SYMBOL_SYMBOL_SERVERS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

struct servers {
    bool asked;        /* whether they are asked at all */
    uint64_t spent_ns; /* on all files together, which has a bound */
};

/* libdwfl's find_debuginfo. `user` points to the struct module, or to NULL. Nothing is asked of the
 * network but for a module whose `servers` say so. */
int servers_find_debuginfo(Dwfl_Module *file, void **user, const char *name, Dwarf_Addr base,
                           const char *path, const char *link, GElf_Word crc, char **ret_path);

#endif
