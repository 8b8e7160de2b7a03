/* SPDX-License-Identifier: Apache-2.0 */
/* suite.json of another machine, and what `soak merge` makes of it. */
#include "fuzz.h"
#include "soak/suite/suite_json.h"
#include "soak/suite/suite_merge.h"

const struct command *const commands[] = {NULL}; /* the program's; none is run here */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char path[FUZZ_PATH], note[SUITE_NOTE];
    struct err e = {{0}};
    struct suite merged;
    struct suite_part part = {.path = "one.json"};
    suite_init(&part.suite);
    suite_init(&merged);
    if (suite_load(&part.suite, fuzz_file(bytes, count, path), &e) == 0 &&
        suite_merge(&merged, &part, 1, &e) == 0) {
        free(suite_dump(&merged));
        for (size_t i = 0; suite_note(&merged, i, note, sizeof note); i++)
            ;
    }
    suite_free(&merged);
    suite_free(&part.suite);
    return 0;
}
