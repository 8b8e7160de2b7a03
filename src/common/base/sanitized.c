/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of each program that gcc builds with AddressSanitizer. Its UndefinedBehaviorSanitizer is a
 * library of its own, which writes to stderr whatever `log_path` says, and not every test reads
 * what a program says there (scripts/sanitize.sh). So AddressSanitizer writes the stack, too.
 */
#include <sanitizer/common_interface_defs.h>

__attribute__((visibility("default"))) void __ubsan_on_report(void);

void __ubsan_on_report(void)
{
    __sanitizer_print_stack_trace();
}
