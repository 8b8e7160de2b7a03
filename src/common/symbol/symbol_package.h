/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Debian package that a file is of, from dpkg's own lists (dpkg-query(1): the files .list), and
 * the one with its debug symbols. Internal to src/common/symbol.
 */
#ifndef SOAK_SYMBOL_SYMBOL_PACKAGE_H
#define SOAK_SYMBOL_SYMBOL_PACKAGE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKAGE_NAME = 128 };
#define PACKAGE_LISTS  "/var/lib/dpkg/info"
#define PACKAGE_STATUS "/var/lib/dpkg/status"

/* Writes the name of the package that owns `path`; false when dpkg isn't there or doesn't know the
 * file: `ret` is then left as it is. */
bool package_owning(const char *info_folder, const char *path, char *ret, size_t size);

/* Its version, from dpkg's list of what is installed (dpkg-query(1): the file status); false when
 * that isn't in it: `ret` is then left as it is. */
bool package_version(const char *status, const char *package, char *ret, size_t size);

/* `libuv1-dbgsym`. The C library's package is older than automatic ones and has a name of its own.
 */
void package_of_symbols(const char *package, char *ret, size_t size);

/*
 * Debug information from the servers of DEBUGINFOD_URLS, through libdebuginfod, which libdwfl loads
 * where it is installed. Internal to src/common/symbol.
 */
struct servers {
    bool asked;        /* whether they are asked at all */
    uint64_t spent_ns; /* on all files together, which has a bound */
};

/* libdwfl's find_debuginfo. `user` points to the struct module, or to NULL. Nothing is asked of the
 * network but for a module whose `servers` say so. */
int servers_find_debuginfo(Dwfl_Module *file, void **user, const char *name, Dwarf_Addr base,
                           const char *path, const char *link, GElf_Word crc, char **ret_path);
/* What is being fetched for it is given up when one of the ending signals waits. Where the library
 * isn't installed nothing is fetched. */
void servers_give_up_at_signals(Dwfl *dwfl);

#endif
