/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario file, and what its options come to. */
#include "fuzz.h"
#include "scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char path[FUZZ_PATH], text[OPTS_TEXT];
    static struct scenario s; /* large */
    static struct scenario_origin origin;
    struct err e = {{0}};
    origin = (struct scenario_origin){0};
    scenario_defaults(&s);
    if (scenario_read_noting(&s, &origin, fuzz_file(bytes, count, path), &e) != 0)
        return 0;
    if (scenario_check(&s, &e) != 0) {
        scenario_locate(&origin, &e);
        return 0;
    }
    scenario_settle(&s);
    scenario_about_ns(&s);
    scenario_sure_text(&s, text, sizeof text);
    size_t options;
    const struct opt *option = scenario_options(&options);
    for (size_t i = 0; i < options; i++)
        opts_print(&option[i], &s, text, sizeof text);
    return 0;
}
