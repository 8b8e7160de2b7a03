/* SPDX-License-Identifier: Apache-2.0 */
/* A library or program of anybody's. */
#include "fuzz.h"
#include "libs/elf_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char path[FUZZ_PATH];
    struct elf_facts facts;
    struct err e = {{0}};
    if (elf_facts_read(fuzz_file(bytes, count, path), &facts, &e) == 0 &&
        facts.needed_count > ELF_NEEDED)
        abort();
    return 0;
}
