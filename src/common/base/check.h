/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CHECK states what must be true if the program has no bug. It stays on in release builds: a soak
 * test that goes on after a broken invariant would print figures about nothing.
 */
#ifndef SOAK_BASE_CHECK_H
#define SOAK_BASE_CHECK_H

/* Prints `file:line: CHECK failed: text` on stderr with one write() and aborts. Never returns.
 * Where errno says that memory or files are used up it is no bug: a sentence, and exit 4. */
_Noreturn void check_fail(const char *file, int line, const char *text);

#define CHECK(cond) ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, #cond))

#endif
