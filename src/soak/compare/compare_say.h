/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a comparison says in words: one line for each version, figures as people read them, and what
 * explains a difference. For the text, the Markdown and the document alike.
 */
#ifndef SOAK_COMPARE_SAY_H
#define SOAK_COMPARE_SAY_H

#include "compare_set.h"

struct text;

enum { COMPARE_SENTENCE = 512, COMPARE_COMMAND = 8192, COMPARE_FIGURE = 64 };

/* `WORSE  openssl 3.5.7 against 3.0.22, for the server: ...` of version i, 1 and on. Each writes to
 * buf, always terminated, and returns it. */
char *compare_say(const struct compare_set *s, size_t i, char *buf, size_t size);
/* Of that line, what is said of the verdict: `another LEAK, ...`. */
void compare_say_verdict(struct text *j, const struct compare_set *s, size_t i);
/* What only the program does that isn't judged; "" when that is nothing. */
char *compare_say_other(const struct compare_set *s, size_t i, char *buf, size_t size);
/* Whether any version did. */
bool compare_any_exchange(const struct compare_set *s);
/* `61,210 B`; `-` when nobody says. A `~` stands before what isn't exact. */
char *compare_say_value(const struct compare_cell *c, enum compare_row row, char *buf, size_t size);
/* `+30.5 %`, `=`, `missing`, ...; "" of the first version. */
char *compare_say_change(const struct compare_set *s, size_t i, enum compare_row row, char *buf,
                         size_t size);
/* The same, and of a measured row of several pairs with the factor first:
 * `× 1.032 (1.021–1.044) more`. */
char *compare_say_note(const struct compare_set *s, size_t i, enum compare_row row, char *buf,
                       size_t size);
/* Whose figures a row has: "server", "client", "both", "run". */
const char *compare_say_side(const struct compare_set *s, enum compare_row row);
/* The heading of a row's group, such as `Growth per reload`. */
char *compare_say_rows(const struct compare_set *s, enum compare_row row, char *buf, size_t size);
/* Of a measured row: `1.021–1.044`. */
char *compare_say_interval(const struct compare_cell *c, char *buf, size_t size);
/* `crypto/stack/stack.c:48,68 → :49,69`, with the function where it is known. */
char *compare_say_group(const struct compare_group *g, char *buf, size_t size);
/* `+703 allocations per handshake (2,258 → 2,961)` */
char *compare_say_difference(const struct compare_explanation *x, enum compare_measure measure,
                             char *buf, size_t size);
/* `openssl 3.0.22-1~deb12u2 (debian:bookworm-security), libuv 1.44.2`: what was mapped. */
char *compare_say_mapped(const struct compare_entry *entry, char *buf, size_t size);
/* Whether any version has the row. */
bool compare_has_row(const struct compare_set *s, enum compare_row row);
/* The n-th command to type next; NULL when there are no more. */
char *compare_say_next(const struct compare_set *s, size_t n, char *buf, size_t size);

#endif
