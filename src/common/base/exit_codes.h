/* SPDX-License-Identifier: Apache-2.0 */
/* Every exit code, once: what the programs return, and what help and the man page say of it. */
#ifndef SOAK_BASE_EXIT_CODES_H
#define SOAK_BASE_EXIT_CODES_H

/* X(ENUM, value, meaning for a run). EXIT_FOUND is also a suite, comparison or selftest that isn't
 * as expected. */
#define EXIT_CODE_LIST(X)                                                                          \
    X(EXIT_PASS, 0, "PASS")                                                                        \
    X(EXIT_FOUND, 1, "LEAK")                                                                       \
    X(EXIT_USAGE, 2, "usage")                                                                      \
    X(EXIT_INCONCLUSIVE, 3, "INCONCLUSIVE")                                                        \
    X(EXIT_BROKEN, 4, "INVALID or broken")                                                         \
    X(EXIT_GONE, 77, "a program or library is missing")                                            \
    X(EXIT_INTERRUPTED, 130, "interrupted")

/* Those that only an option or the launcher asks for. The meaning of 77 is Automake's and Meson's
 * (a test that is skipped), that of 125 and 128 git's (git bisect run); 130 is what a shell makes
 * of SIGINT. */
#define EXIT_CODE_SPECIAL_LIST(X)                                                                  \
    X(EXIT_UNBUILT, 75, "what the command starts isn't built yet (SOAK_UNBUILT)")                  \
    X(EXIT_SKIP, 125, "this commit can't be judged (--bisect-exit)")                               \
    X(EXIT_CANNOT_START, 127, "a program couldn't be started")                                     \
    X(EXIT_STOP, 128, "the bisection can't go on (--bisect-exit)")

#define EXIT_CODE_ID(id, value, ...) id = value,
enum exit_code { EXIT_CODE_LIST(EXIT_CODE_ID) EXIT_CODE_SPECIAL_LIST(EXIT_CODE_ID) };

#endif
