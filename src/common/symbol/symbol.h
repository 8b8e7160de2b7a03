/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for code addresses, after the fact: from what was kept of a process (symbol/image.h), by
 * libdwfl. The process may be gone. Function and file:line where there is debug information, else
 * the symbol whose extent holds the address, else no name: the nearest symbol below isn't one.
 * Code in no file has the name that the virtual machine which made it gave it, if it did.
 *
 * No name is better than a wrong one: a program file that isn't the one that was mapped (another
 * inode: rebuilt, upgraded, or another container's) is not opened, and an address at which plugins
 * followed each other has a name only where it is known which of them ran. The maps text is checked
 * line by line; lines that don't read as the kernel writes them are passed over.
 *
 * Nothing is asked of the network without symbols_ask_servers: during libdwfl's own look-ups
 * DEBUGINFOD_URLS, on which its requests depend, is taken out of the environment. So names are
 * looked up on the main thread. A struct symbols belongs to one thread; each module's file is
 * opened at the first look-up in it.
 */
#ifndef SOAK_SYMBOL_SYMBOL_H
#define SOAK_SYMBOL_SYMBOL_H

#include "base/err.h"
#include "symbol/image.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols; /* one per subject */

/* The module of code that a virtual machine made (symbol/perf_map.h). */
#define SYMBOL_MADE "[jit]"

/* All texts are borrowed: they live until symbols_close. */
struct symbol {
    const char *function; /* NULL: not known */
    const char *module;   /* file name without folder, or SYMBOL_MADE; NULL: in no known code */
    uint64_t offset;      /* the address within the module, as `addr2line -e` takes it */
    const char *file;     /* NULL without debug information; relative to the module's sources */
    uint32_t line;
    /* The Debian package that would name it, such as libuv1-dbgsym: set when the function isn't
     * known, the file has no debug information, and dpkg knows whose it is. Else NULL. */
    const char *package;
};

/* The image is borrowed until symbols_close. NULL and a sentence when not one line of its maps is
 * program code, or when out of memory. */
struct symbols *symbols_open(const struct image *image, struct err *e);
void symbols_close(struct symbols *s);

/* What is looked up from now on ran in epoch `first`, in `last`, and maybe between them. An address
 * that several files had in turn is the one's which may have run in both, and has neither function
 * nor module where that is none or several. IMAGE_LOADED twice: it ran at the end. 0 and
 * IMAGE_LOADED, as without this call: it isn't known when. */
void symbols_ran(struct symbols *s, uint64_t first, uint64_t last);

/* From now on debug information that this machine lacks is asked for from the servers of
 * DEBUGINFOD_URLS: at most a minute for a file and about two in all, unless the user's own limits
 * say otherwise. */
void symbols_ask_servers(struct symbols *s);
/* Whether they can be asked; -1 and a sentence without DEBUGINFOD_URLS or without libdebuginfod. */
int symbols_servers_check(struct err *e);

/* What lies at `address`. A return address belongs to the call before it: with `return_address` the
 * byte before is looked up, and `offset` is that byte's. Always writes `ret`. Where functions were
 * inlined it is the innermost, which is the one that `file` and `line` are in. */
void symbols_find(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret);

/* The same with the functions that the innermost was inlined into, each with the place of its call:
 * innermost first, at most `max` (1 or more). Returns how many were written, 1 or more. */
size_t symbols_inlined(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret,
                       size_t max);

/* Whose a mapped file is: its Debian package and that one's version; of a file that no package has,
 * the file's name and `build ID 4f1c...`. */
struct symbol_owner {
    char name[128], version[64], file[PATH_MAX];
};
/* Of the mapped file that is called so (symbol.module). False, and `ret` as it was, when neither is
 * known. */
bool symbols_owner(const struct symbols *s, const char *module, struct symbol_owner *ret);

/* `defect_state_new  server/defect.c:41` · `SSL_new  libssl.so.3` · `libfoo.so+0x1234` ·
 * `0x7f0012345678`. Printable ASCII, whatever the file holds; cut at the end of buf. Returns buf.
 */
char *symbol_text(const struct symbol *symbol, char *buf, size_t size);

/* The frames without a name that `frame` begins with, as far as they lie in one file, in one text:
 * `libuv.so.1.0.0+0x1b40a, +0x22e6b   no symbols: install libuv1-dbgsym`. Those that don't fit into
 * `size` bytes are left to the next call. Frames in no known file are only counted, with the page
 * that says how they get names. Returns how many frames are in it; 0, and an empty text, when the
 * first one has a name. */
size_t symbol_nameless_text(const struct symbol *frame, size_t frames, char *buf, size_t size);

/* The frame only passes an allocation on (malloc and its kin, OpenSSL's and libuv's wrappers, the
 * probe's hooks), so who asked for the memory is further out. */
bool symbol_is_allocator(const struct symbol *symbol);

#endif
