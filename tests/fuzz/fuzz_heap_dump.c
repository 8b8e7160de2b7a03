/* SPDX-License-Identifier: Apache-2.0 */
/* jemalloc's profile, as a program under test has written it. */
#include "fuzz.h"
#include "profile/heap_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct heap_dump all, half, growth;
    struct err e = {{0}};
    char *text = fuzz_text(bytes, count);
    if (heap_dump_parse(text, count, &all, &e) == 0) {
        if (heap_dump_parse(text, count / 2, &half, &e) == 0) {
            if (heap_dump_growth(&half, &all, &growth, &e) == 0)
                heap_dump_free(&growth);
            heap_dump_free(&half);
        }
        heap_dump_free(&all);
    }
    free(text);
    return 0;
}
