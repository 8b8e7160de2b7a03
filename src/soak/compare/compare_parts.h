/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts that can be compared: which option of `soak compare` lists their versions, which
 * options of a run choose one, and how a run proves that it had it.
 */
#ifndef SOAK_COMPARE_PARTS_H
#define SOAK_COMPARE_PARTS_H

#include "base/err.h"
#include "compare_set.h"

enum { COMPARE_PARTS = 4, PART_WORDS = 4, PART_TEXT = 256 };

/* COMPARE_PROGRAM: what is fetched for --server. */
enum compare_part { COMPARE_OPENSSL, COMPARE_LIBUV, COMPARE_MALLOC, COMPARE_PROGRAM };

/* "openssl", "libuv", "malloc", "program": as the option is named. */
const char *compare_part_name(enum compare_part part);
bool compare_part_from_name(const char *name, enum compare_part *ret);
/* Whether `name` is a version as `soak libs` lists them, so that others may lie between it and
 * another: not a prefix, nor a program. */
bool compare_part_has_range(enum compare_part part, const char *name);

/* The words that let a run have the version; text in `bytes`. */
struct part_words {
    char bytes[PART_WORDS][PART_TEXT];
    size_t count;
};
/* Refuses a name that can't be one. Returns 0 or -1. */
int compare_part_words(enum compare_part part, const char *name, struct part_words *ret,
                       struct err *e);

/* The length of the first name of a list, up to a comma; that of
 * `debian:sid/rsyslog,rsyslog-openssl` is the name's own. */
size_t compare_part_length(enum compare_part part, const char *list);

/* Whether the entry's runs had the version that was asked for, by what was mapped, else by what the
 * server says of itself. A name that isn't a version, such as a prefix, proves itself by being
 * there at all. Returns 0, or -1 with a sentence that names both. */
int compare_part_proved(enum compare_part part, const char *name, const struct compare_entry *entry,
                        struct err *e);
/* Whether `version` (3.0.22-1~deb12u2) is `asked` (3.0.22), whole numbers of it. */
bool compare_version_is(const char *version, const char *asked);

#endif
