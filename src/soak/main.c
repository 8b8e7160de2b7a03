/* soak: the command line. Parses the first word and hands over. */
#include "base/process.h"
#include "cmd_list.h"
#include "cmd_run.h"
#include "cmd_show.h"
#include "compare/cmd_bisect.h"
#include "compare/cmd_compare.h"
#include "guard.h"
#include "help.h"
#include "library/cmd_libs.h"
#include "selftest/cmd_calibrate.h"
#include "selftest/cmd_selftest.h"
#include "suite/cmd_merge.h"
#include "suite/cmd_suite.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    process_begin(argv);
    guard_begin(&argc, &argv);
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "selftest") == 0)
        return cmd_selftest(argc - 1, argv + 1);
    if (strcmp(word, "calibrate") == 0)
        return cmd_calibrate(argc - 1, argv + 1);
    if (strcmp(word, "list") == 0)
        return cmd_list(argc - 1, argv + 1);
    if (strcmp(word, "libs") == 0)
        return cmd_libs(argc - 1, argv + 1);
    if (strcmp(word, "show") == 0)
        return cmd_show(argc - 1, argv + 1);
    if (strcmp(word, "suite") == 0)
        return cmd_suite(argc - 1, argv + 1);
    if (strcmp(word, "merge") == 0)
        return cmd_merge(argc - 1, argv + 1);
    if (strcmp(word, "compare") == 0)
        return cmd_compare(argc - 1, argv + 1);
    if (strcmp(word, "bisect") == 0)
        return cmd_bisect(argc - 1, argv + 1);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help_print(stdout);
            return 0;
        }
    }
    if (strcmp(word, "help") == 0) {
        help_print(stdout);
        return 0;
    }
    if (strcmp(word, "--man") == 0) {
        help_man(stdout);
        return 0;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        puts("soak " SOAK_VERSION);
        return 0;
    }
    if (strcmp(word, "run") == 0)
        return cmd_run(argc - 1, argv + 1);
    return cmd_run(argc, argv);
}
