/*
 * Names for code addresses, after the fact: from the text of /proc/PID/maps and the program files
 * on disk, by libdwfl. The process may be gone. Function and file:line where there is debug
 * information, else the nearest symbol of the symbol table, and then said to be only near.
 *
 * No name is better than a wrong one: a program file that isn't the one that was mapped (another
 * inode: rebuilt, upgraded, or another container's) is not opened. The maps text is checked line by
 * line; lines that don't read as the kernel writes them are passed over.
 *
 * Nothing is asked of the network: symbols_open takes DEBUGINFOD_URLS out of the environment, which
 * is what libdwfl's look-ups over HTTP depend on. So call it from the main thread. A struct symbols
 * belongs to one thread; each module's file is opened at the first look-up in it.
 */
#ifndef SOAK_SYMBOL_SYMBOL_H
#define SOAK_SYMBOL_SYMBOL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols; /* one per subject */

/* All texts are borrowed: they live until symbols_close. */
struct symbol {
    const char *function; /* NULL: not known */
    const char *module;   /* file name without folder; NULL: the address lies in no file's code */
    uint64_t offset;      /* the address within the module, as `addr2line -e` takes it */
    const char *file;     /* NULL without debug information; relative to the module's sources */
    uint32_t line;
    bool sure; /* the symbol's extent contains the address; false: only the nearest one below it */
};

/* `maps_text`: the text of /proc/PID/maps, copied while the process lived; not kept. NULL and a
 * sentence when not one line of it is program code, or when out of memory. */
struct symbols *symbols_open(const char *maps_text, struct err *e);
void symbols_close(struct symbols *s);

/* What lies at `address`. A return address belongs to the call before it: with `return_address` the
 * byte before is looked up, and `offset` is that byte's. Always writes `ret`. Where functions were
 * inlined it is the innermost, which is the one that `file` and `line` are in. */
void symbols_find(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret);

/* The same with the functions that the innermost was inlined into, each with the place of its call:
 * innermost first, at most `max` (1 or more). Returns how many were written, 1 or more. */
size_t symbols_inlined(struct symbols *s, uint64_t address, bool return_address, struct symbol *ret,
                       size_t max);

/* `defect_state_new  server/defect.c:41` · `SSL_new  libssl.so.3` ·
 * `near SSL_CTX_new  libssl.so.3+0x1a2b` · `libfoo.so+0x1234` · `0x7f0012345678`. Printable ASCII,
 * whatever the file holds; cut at the end of buf. Returns buf. */
char *symbol_text(const struct symbol *symbol, char *buf, size_t size);

/* The frame only passes an allocation on (malloc and its kin, OpenSSL's and libuv's wrappers, the
 * probe's hooks), so who asked for the memory is further out. */
bool symbol_is_allocator(const struct symbol *symbol);

#endif
