/* soak: the command line. Parses the first word and hands over. */
#include "cmd_calibrate.h"
#include "cmd_run.h"
#include "cmd_selftest.h"
#include "scenario/scenario.h"

#include <stdio.h>
#include <string.h>

static void print_help(FILE *out)
{
    size_t count;
    const struct opt *table = scenario_options(&count);
    fputs(
        "Finds native memory that a TLS stack keeps per connection.\n\n"
        "  soak [run] [SCENARIO] [OPTIONS]\n"
        "  soak selftest [OPTIONS]     every bug of the built-in server and its right verdict\n"
        "  soak calibrate [OPTIONS]    how often a clean server is called a leak\n"
        "  soak COMMAND --help\n\n"
        "Holds a stable set of TLS connections while it churns thousands of others, counts every\n"
        "OpenSSL block exactly and says whether something grows per connection, where and why.\n"
        "SCENARIO is a file, or a name in scenarios/. Without one: 30 connections, 1000/s, about\n"
        "a minute.\n",
        out);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(scenario_section(i), scenario_section(i - 1)) != 0)
            fprintf(out, "\n[%s]\n", scenario_section(i));
        opts_help(&table[i], 1, out);
    }
    fputs(
        "\nExit: 0 PASS, 1 LEAK, 2 usage, 3 INCONCLUSIVE, 4 INVALID or broken, 130 interrupted.\n"
        "Each run leaves a folder in results/runs/: result.json, samples.jsonl, manifest.json and\n"
        "the logs of both sides.\n",
        out);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "selftest") == 0)
        return cmd_selftest(argc - 1, argv + 1);
    if (strcmp(word, "calibrate") == 0)
        return cmd_calibrate(argc - 1, argv + 1);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(stdout);
            return 0;
        }
    }
    if (strcmp(word, "help") == 0) {
        print_help(stdout);
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
