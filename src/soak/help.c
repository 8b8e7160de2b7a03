/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/exit_codes.h"
#include "base/text.h"
#include "base/version.h"
#include "options/grammar.h"
#include "scenario/placeholders.h"
#include "scenario/scenario.h"

#include <string.h>

enum { WORDS_COLUMNS = 37 };

static const char headline[] = "Finds native memory that a TLS stack keeps per connection.";
static const char about[] =
    "Holds a stable set of TLS connections while it churns thousands of others, counts every "
    "OpenSSL block exactly and says whether something grows per connection, where and why.\n"
    "SCENARIO is a file, or a name in scenarios/. Without one: 30 connections, 1000/s, about a "
    "minute.\n";
static const char writing[] =
    "--option VALUE is --option=VALUE. Where the value may be left out (--json[=FILE]), the next "
    "word is FILE if it is - or ends as such files do: --json x.json, --markdown x.md.\n";
static const char leaves[] =
    "Each run leaves a folder in results/runs/: result.json, samples.jsonl, manifest.json and the "
    "logs of both sides. Installed, soak keeps them in ~/.local/state/soak/runs/ "
    "($XDG_STATE_HOME/soak/runs/).\n";

/* Whether option i of a run begins a section. */
static bool begins_section(size_t i)
{
    return i == 0 || strcmp(scenario_section(i), scenario_section(i - 1)) != 0;
}

static void print_exits(FILE *out)
{
    char line[512];
    struct text text = text_into(line, sizeof line);
#define PRINT_EXIT(id, value, meaning)                                                             \
    text_add(&text, "%s%d %s", id == EXIT_PASS ? "Exit: " : ", ", value, meaning);
    EXIT_CODE_LIST(PRINT_EXIT)
    text_add(&text, ".");
    fputc('\n', out);
    command_print_text(line, out);
    command_print_text(leaves, out);
}

/* `  soak WORDS    what it is for` */
static void print_line(const char *words, const char *line, FILE *out)
{
    int used = fprintf(out, "  soak %s", words), columns = command_columns(out);
    int left = opts_left(used, WORDS_COLUMNS, columns, out);
    opts_wrap(line, left, columns, out);
}

static void print_commands(FILE *out)
{
    char words[128];
    size_t count;
    const struct command *const *all = commands(&count);
    for (size_t i = 0; i < count; i++) {
        const struct command *c = all[i];
        if (!c->line)
            continue;
        snprintf(words, sizeof words, "%s %s", c->name, c->words);
        print_line(words, c->line, out);
    }
}

void help_print(FILE *out)
{
    size_t count;
    struct scenario usual;
    const struct opt *table = scenario_options(&count);
    scenario_defaults(&usual);
    command_print_text(headline, out);
    fputc('\n', out);
    print_line("[run] [SCENARIO] [OPTIONS]", "one run, and its verdict", out);
    print_commands(out);
    print_line("help COMMAND", "what a command does, and its options", out);
    print_line("help servers", "how to test a server of yours", out);
    print_line("--completion SHELL", "a script for bash, zsh or fish", out);
    fputc('\n', out);
    command_print_text(about, out);
    command_print_text(writing, out);
    for (size_t i = 0; i < count; i++) {
        if (begins_section(i))
            fprintf(out, "\n[%s]\n", scenario_section(i));
        if (!scenario_is_weight(i))
            opts_help(&table[i], 1, &usual, command_columns(out), out);
    }
    print_exits(out);
}

/* ---- the topic: servers ---- */

static const char servers_head[] =
    "Point soak at a server of yours: it is started with the probe preloaded, churned, judged and "
    "ended, with all that it has started.\n\n"
    "  soak --server 'openssl s_server -accept {port} -cert {cert} -key {key} -quiet -rev' \\\n"
    "       --say 'hello\\n' --answer olleh --conns 1 --churn max --closed 400\n"
    "  soak --server './mine.sh {address} {cert} {key}' --connect 127.0.0.1:8443\n"
    "  soak run servers/nginx    # one of scenarios/servers/\n\n"
    "No shell is involved: words are split at blanks, quotes hold them together. In commands, in "
    "--connect and in the file of --template these stand for something:\n";
static const char servers_tail[] =
    "\nIt is ready once it can be connected to (--ready-timeout). Before each measurement soak "
    "runs --on-checkpoint, then waits until nothing has been allocated for --settle. At the end "
    "it gets the signal of --stop, five seconds later SIGKILL; so does whatever it has left "
    "running.\n\n"
    "--reload 'kill -HUP {pid}' counts reloads of its configuration instead of connections.\n\n"
    "What is seen, as the report's line `counted` says:\n"
    "  set_mem_functions   each block of OpenSSL's, exactly, with file and line: any program that "
    "loads libcrypto.so, also later (netty, python)\n"
    "  interposed          the same, where OpenSSL had allocated before the probe came\n"
    "  boringssl           blocks without file and line: programs that link BoringSSL\n"
    "  malloc              with --malloc-hooks, any other TLS library that calls malloc: all "
    "blocks, by call stack; Go's and Java's own (JSSE) don't\n"
    "  none                INVALID: a static program or libcrypto, setuid or capabilities, an "
    "environment without LD_PRELOAD, another TLS library\n"
    "What isn't OpenSSL's shows in jemalloc's figures (jemalloc is preloaded too, except with "
    "--malloc libc), and in RSS; --malloc-hooks counts it too, with its call stacks.\n\n"
    "A program that never rests is INCONCLUSIVE: NO STEADY STATE. docs/guide/servers.md says "
    "more.\n";

static void print_servers(FILE *out)
{
    char line[128];
    command_print_text(servers_head, out);
#define PRINT_PLACEHOLDER(id, name, about)                                                         \
    snprintf(line, sizeof line, "  {%s}%*s%s", name, 18 - (int)strlen(name), "", about);           \
    command_print_text(line, out);
    PLACEHOLDER_LIST(PRINT_PLACEHOLDER)
#undef PRINT_PLACEHOLDER
    command_print_text(servers_tail, out);
}

int cmd_help(int argc, char *const *argv)
{
    static const char *const topic = "servers";
    const char *word = argc > 1 ? argv[1] : "run";
    if (strcmp(word, topic) == 0) {
        print_servers(stdout);
        return EXIT_PASS;
    }
    const struct command *command = commands_find(word);
    char *const line[] = {argv[0], (char *)"--help", NULL};
    if (command)
        return (command->run == cmd_help ? cmd_run : command->run)(2, line);
    struct err e;
    const char *nearest = grammar_nearest(word, &topic, 1);
    if (!nearest)
        nearest = commands_nearest(word);
    err_set(&e, "%.60s: no such command%s%s%s", word, nearest ? "; did you mean " : "",
            nearest ? nearest : "", nearest ? "?" : "; soak help lists them");
    fprintf(stderr, "soak: help: %s\n", e.text);
    return EXIT_USAGE;
}

/* ---- man(7) ---- */

/* Text for roff: a dash is a minus, so that options can be copied; no line begins with a control
 * character; lines that begin with a blank are a list, and stay as they are. */
static void put_text(const char *text, FILE *out)
{
    bool begins = true, list = false;
    for (; *text; text++) {
        if (begins && (*text == ' ') != list) {
            list = !list;
            fputs(list ? ".nf\n" : ".fi\n", out);
        }
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
    if (list)
        fputs(".fi\n", out);
}

static void put_option(const struct opt *option, const void *defaults, FILE *out)
{
    char usual[OPTS_TEXT];
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
    if (*opts_default(option, defaults, usual, sizeof usual)) {
        fputs(" (default ", out);
        put_text(usual, out);
        fputc(')', out);
    }
    fputc('\n', out);
}

static void put_command(const struct command *c, FILE *out)
{
    fprintf(out, ".SS soak %s %s\n", c->name, c->words);
    put_text(c->about, out);
    for (size_t i = 0; i < c->options; i++)
        put_option(&c->table[i], c->defaults, out);
    fputs(".PP\n", out);
    put_text(c->after, out);
}

static void put_synopsis(FILE *out)
{
    size_t count;
    const struct command *const *all = commands(&count);
    fputs("\n.SH SYNOPSIS\n.B soak\n[run] [SCENARIO] [OPTIONS]\n", out);
    for (size_t i = 0; i < count; i++)
        if (all[i]->line)
            fprintf(out, ".br\n.B soak %s\n%s\n", all[i]->name, all[i]->words);
    fputs(".br\n.B soak \\-\\-completion\nbash|zsh|fish\n", out);
}

static void put_commands(FILE *out)
{
    size_t count;
    const struct command *const *all = commands(&count);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < count; i++)
        if (all[i]->line)
            put_command(all[i], out);
}

static void put_man(FILE *out)
{
    size_t count;
    struct scenario usual;
    scenario_defaults(&usual);
    const struct opt *table = scenario_options(&count);
    fprintf(out, ".TH SOAK 1 \"\" \"soak %s\" \"User Commands\"\n.ad l\n.SH NAME\nsoak \\- ",
            soak_version);
    put_text(headline, out);
    put_synopsis(out);
    fputs(".SH DESCRIPTION\n", out);
    put_text(about, out);
    fputs(".PP\n", out);
    put_text(writing, out);
    fputs(".SH OPTIONS\nThe same names are the keys of a scenario file, in these sections.\n", out);
    for (size_t i = 0; i < count; i++) {
        if (begins_section(i))
            fprintf(out, ".SS [%s]\n", scenario_section(i));
        if (!scenario_is_weight(i))
            put_option(&table[i], &usual, out);
    }
    put_commands(out);
    fputs(".SH EXIT STATUS\n", out);
#define PUT_EXIT(id, value, meaning) fprintf(out, ".TP\n\\fB%d\\fR\n%s\n", value, meaning);
    EXIT_CODE_LIST(PUT_EXIT)
    EXIT_CODE_SPECIAL_LIST(PUT_EXIT)
    fputs(".SH FILES\n", out);
    put_text(leaves, out);
}

int cmd_man(int argc, char *const *argv)
{
    (void)argc;
    (void)argv;
    put_man(stdout);
    return EXIT_PASS;
}

int cmd_version(int argc, char *const *argv)
{
    (void)argc;
    (void)argv;
    printf("soak %s\n", soak_version);
    return EXIT_PASS;
}
