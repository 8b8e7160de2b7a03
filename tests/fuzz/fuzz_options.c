/* SPDX-License-Identifier: Apache-2.0 */
/* A command line of soak's: a word in each line of the input. */
#include "fuzz.h"
#include "scenario/scenario.h"

enum { WORDS_MOST = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char *text = fuzz_text(bytes, count), *rest = text, *argv[WORDS_MOST + 2] = {(char[]){"soak"}};
    const char *word[WORDS_MOST];
    int argc = 1;
    while (argc <= WORDS_MOST && (argv[argc] = fuzz_line(&rest)))
        argc++;
    argv[argc] = NULL;
    static struct scenario s; /* large */
    struct err e = {{0}};
    struct opts_words words = {word, WORDS_MOST, 0};
    struct opts_line line = {.argc = argc, .argv = argv};
    line.table = scenario_options(&line.options);
    line.bounds = scenario_table()->bounds;
    scenario_defaults(&s);
    if (opts_parse(&line, &s, &words, &e) == 0) {
        static struct scenario_origin origin;
        scenario_note_command(&origin, argc, argv);
        scenario_check(&s, &e);
    } else {
        opts_stranger(&line);
    }
    free(text);
    return 0;
}
