/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and mapping a probe page from outside the subject (the orchestrator, tests). No hooks
 * here: this target doesn't link OpenSSL.
 */
#ifndef SOAK_PAGE_PAGE_FILE_H
#define SOAK_PAGE_PAGE_FILE_H

#include "base/err.h"
#include "page.h"

#include <stddef.h>

/* The memfd's name, as /proc/PID/maps has it behind "memfd:". */
#define PAGE_FILE "soak-page"

/* What the limits of a program that is started with the probe must leave it: the page is mapped,
 * and the probe's tables are private memory. All but 0.7 GiB is theirs. */
#define PAGE_LEAST_AS   (UINT64_C(2) << 30)
#define PAGE_LEAST_DATA (UINT64_C(1) << 30)

/* This process's namespace, by its inode number. 0: /proc doesn't say. */
uint64_t page_namespace(size_t which);

/* Makes an anonymous memory file that holds an empty page. Returns the descriptor (close-on-exec;
 * the caller closes it) and the mapping (page_file_unmap). Returns 0 or -1. */
int page_file_make(int *ret_fd, struct page **ret_page, struct err *e);
/* Maps an existing page after checking magic, version and size. Returns 0 or -1. */
int page_file_map(int fd, struct page **ret_page, struct err *e);
void page_file_unmap(struct page *page);

#endif
