#include "help.h"

#include "cmd_list.h"
#include "cmd_show.h"
#include "compare/cmd_bisect.h"
#include "compare/cmd_compare.h"
#include "library/cmd_libs.h"
#include "scenario/scenario.h"
#include "selftest/cmd_calibrate.h"
#include "selftest/cmd_selftest.h"
#include "suite/cmd_merge.h"
#include "suite/cmd_suite.h"

#include <string.h>

/* Commands with options of their own. */
static const struct command *const commands[] = {
    &list_command,    &show_command,   &suite_command,    &merge_command,    &libs_command,
    &compare_command, &bisect_command, &selftest_command, &calibrate_command};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const char headline[] = "Finds native memory that a TLS stack keeps per connection.";
static const char about[] =
    "Holds a stable set of TLS connections while it churns thousands of others, counts every\n"
    "OpenSSL block exactly and says whether something grows per connection, where and why.\n"
    "SCENARIO is a file, or a name in scenarios/. Without one: 30 connections, 1000/s, about\n"
    "a minute.\n";
static const char exits[] =
    "0 PASS, 1 LEAK, 2 usage, 3 INCONCLUSIVE, 4 INVALID or broken, 130 interrupted.\n";
static const char leaves[] =
    "Each run leaves a folder in results/runs/: result.json, samples.jsonl, manifest.json and\n"
    "the logs of both sides.\n";

/* Whether option i of a run begins a section. */
static bool begins_section(size_t i)
{
    return i == 0 || strcmp(scenario_section(i), scenario_section(i - 1)) != 0;
}

void help_print(FILE *out)
{
    size_t count;
    const struct opt *table = scenario_options(&count);
    fprintf(out, "%s\n\n  soak [run] [SCENARIO] [OPTIONS]\n", headline);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  soak %s %s%*s%s\n", commands[i]->name, commands[i]->words,
                (int)(27 - strlen(commands[i]->name) - strlen(commands[i]->words)), "",
                commands[i]->line);
    fprintf(out, "  soak COMMAND --help\n\n%s", about);
    for (size_t i = 0; i < count; i++) {
        if (begins_section(i))
            fprintf(out, "\n[%s]\n", scenario_section(i));
        if (!scenario_is_weight(i))
            opts_help(&table[i], 1, out);
    }
    fprintf(out, "\nExit: %s%s", exits, leaves);
}

/* ---- man(7) ---- */

/* Text for roff: a dash is a minus, so that options can be copied; no line begins with a control
 * character. */
static void put_text(const char *text, FILE *out)
{
    bool begins = true;
    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
        begins = *text == '\n';
    }
}

static void put_option(const struct opt *option, FILE *out)
{
    bool listed = option->type == OPT_CHOICE;
    const char *value = listed ? option->choices : option->metavar;
    fputs(".TP\n\\fB", out);
    put_text("--", out);
    put_text(option->name, out);
    fputs("\\fR", out);
    if (value && option->type == OPT_OUTPUT)
        fprintf(out, "[=\\fI%s\\fR]", value);
    else if (value && listed)
        fprintf(out, " %s", value);
    else if (value)
        fprintf(out, " \\fI%s\\fR", value);
    fputc('\n', out);
    put_text(option->help, out);
    fputc('\n', out);
}

static void put_command(const struct command *c, FILE *out)
{
    fprintf(out, ".SS soak %s %s\n", c->name, c->words);
    put_text(c->about, out);
    for (size_t i = 0; i < c->options; i++)
        put_option(&c->table[i], out);
    fputs(".PP\n", out);
    put_text(c->after, out);
}

void help_man(FILE *out)
{
    size_t count;
    const struct opt *table = scenario_options(&count);
    fputs(".TH SOAK 1 \"\" \"soak " SOAK_VERSION "\" \"User Commands\"\n.SH NAME\nsoak \\- ", out);
    put_text(headline, out);
    fputs("\n.SH SYNOPSIS\n.B soak\n[run] [SCENARIO] [OPTIONS]\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, ".br\n.B soak %s\n%s\n", commands[i]->name, commands[i]->words);
    fputs(".SH DESCRIPTION\n", out);
    put_text(about, out);
    fputs(".SH OPTIONS\nThe same names are the keys of a scenario file, in these sections.\n", out);
    for (size_t i = 0; i < count; i++) {
        if (begins_section(i))
            fprintf(out, ".SS [%s]\n", scenario_section(i));
        if (!scenario_is_weight(i))
            put_option(&table[i], out);
    }
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        put_command(commands[i], out);
    fputs(".SH EXIT STATUS\n", out);
    put_text(exits, out);
    fputs(".SH FILES\n", out);
    put_text(leaves, out);
}
