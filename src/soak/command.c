/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "archive/outputs.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "commands.h"
#include "report/json_util.h"
#include "report/screen.h"
#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A line of help that is indented so far goes on the text of the one before. */
enum { TABLE = 280, ITEM_INDENT = 10 };

int command_columns(FILE *out)
{
    int columns = terminal_columns(fileno(out));
    return columns < SCREEN_MIN_COLUMNS ? SCREEN_MIN_COLUMNS
           : columns > OPTS_COLUMNS     ? OPTS_COLUMNS
                                        : columns;
}

/* `  WORD    its text`; without a gap it is a command, and stays whole. */
static void print_item(const struct screen *s, char *line)
{
    size_t indent = strspn(line, " ");
    char *gap = strstr(line + indent, "  ");
    if (!gap) {
        fprintf(s->out, "%s\n", line);
        return;
    }
    size_t at = (size_t)(gap - line) + strspn(gap, " ");
    *gap = '\0';
    const struct screen_lead lead = {(int)indent, (int)at, line + indent, INK_NONE};
    screen_wrap(s, &lead, "%s", line + at);
}

/* Copies a line of help, with those that go on with its text. Returns what follows. */
static const char *take_line(const char *text, char *line, size_t size)
{
    struct text all = text_into(line, size);
    size_t indent = 0;
    do {
        size_t length = strcspn(text, "\n");
        text_add(&all, "%s%.*s", indent ? " " : "", (int)(length - indent), text + indent);
        text += length + (text[length] == '\n');
        indent = strspn(text, " ");
    } while (indent >= ITEM_INDENT);
    CHECK(!all.cut);
    return text;
}

void command_print_text(const char *text, FILE *out)
{
    const struct screen_lead margin = {0, 0, "", INK_NONE};
    const struct screen s = {.out = out, .utf8 = true, .columns = command_columns(out)};
    while (*text) {
        char line[SCREEN_TEXT];
        text = take_line(text, line, sizeof line);
        if (*line == ' ')
            print_item(&s, line);
        else
            screen_wrap(&s, &margin, "%s", line);
    }
}

static void print_help(const struct command *c)
{
    command_print_text(c->about, stdout);
    printf("\n  soak %s %s\n\n", c->name, c->words);
    opts_help(c->table, c->options, c->defaults, command_columns(stdout), stdout);
    putchar('\n');
    command_print_text(c->after, stdout);
}

bool command_is_unbuilt(void)
{
    const char *value = getenv("SOAK_UNBUILT");
    return value && value[0];
}

bool command_asks_help(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

bool command_helped(const struct command *c, int argc, char *const *argv)
{
    bool asked = command_asks_help(argc, argv);
    if (asked)
        print_help(c);
    return asked;
}

uint64_t command_seed(uint64_t asked)
{
    uint32_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint32_t)clock_now_ns();
    return asked ? asked : seed ? seed : 1;
}

int command_refuse(const struct command *c, const struct err *e)
{
    fprintf(stderr, "soak: %s: %s\n", c->name, e->text);
    return EXIT_USAGE;
}

int command_document(const struct command *c, json_t *document, const char *path)
{
    struct err e = {"out of memory"};
    char *text = json_document(document);
    int rc = text ? output_text("json", path, text, &e) : -1;
    free(text);
    return rc == 0 ? 0 : command_refuse(c, &e);
}

int command_ended(const struct command *c, int rc, const struct err *e)
{
    int code = command_refuse(c, e);
    return rc == -EINTR ? EXIT_INTERRUPTED : rc == -ENOENT ? EXIT_GONE : code;
}

int command_line_parse(const struct command_line *line, void *target, struct opts_words *words,
                       struct err *e)
{
    int rc = opts_parse(&line->opts, target, words, e);
    return rc == OPTS_STRANGER ? commands_stranger(line, e) : rc;
}

struct zeros {
    const struct command *command;
    const void *target;
    const struct opt *found;
};

static void look_for_zero(void *ctx, size_t index)
{
    struct zeros *z = ctx;
    const struct opt *option = &z->command->table[index];
    const char *usual = z->command->defaults, *target = z->target;
    if (option->type == OPT_COUNT && *(const uint64_t *)(usual + option->offset) == 0 &&
        *(const uint64_t *)(target + option->offset) == 0)
        z->found = option;
}

/* Where a count's default is 0, that stands for an option which wasn't given. */
static int refuse_zero(const struct command *c, const struct opts_line *line, const void *target,
                       struct err *e)
{
    struct zeros z = {.command = c, .target = target};
    if (c->defaults)
        opts_walk(line, look_for_zero, &z);
    return z.found ? err_set(e, "--%s 0: give at least 1, or leave it out", z.found->name) : 0;
}

int command_parse_words(const struct command *c, int argc, char *const *argv, void *target,
                        struct opts_words *words)
{
    struct err e = {{0}};
    const struct command_line line = {c->name, {c->table, c->options, argc, argv, NULL}, NULL};
    if (command_helped(c, argc, argv))
        return 0;
    bool good = command_line_parse(&line, target, words, &e) == 0 &&
                refuse_zero(c, &line.opts, target, &e) == 0;
    return good ? -1 : command_refuse(c, &e);
}

int command_parse(const struct command *c, int argc, char *const *argv, void *target)
{
    struct err e = {{0}};
    const char *word[1];
    struct opts_words words = {.word = word, .size = 1};
    int code = command_parse_words(c, argc, argv, target, &words);
    if (code >= 0 || words.count == 0)
        return code;
    err_set(&e, "%.60s: it takes options only", word[0]);
    return command_refuse(c, &e);
}

bool command_is_of_one_run(const char *option)
{
    return strcmp(option, "bisect-exit") == 0 || strcmp(option, "build") == 0;
}

/* The command's own first: they take the place of a run's. */
static size_t make_table(const struct command_line *own, struct opt *table)
{
    size_t count, used = 0;
    const struct opt *run = scenario_options(&count);
    CHECK(count + own->opts.options <= TABLE);
    for (size_t i = 0; i < own->opts.options; i++)
        table[used++] = own->opts.table[i];
    for (size_t i = 0; i < count; i++)
        if (!command_is_of_one_run(run[i].name) &&
            !opts_find(own->opts.table, own->opts.options, run[i].name))
            table[used++] = run[i];
    return used;
}

/* One run after the other can have the address. */
static bool is_served(const char *option)
{
    return strcmp(option, "metrics") == 0 || strcmp(option, "serve") == 0;
}

/* Where results go is the command's own. */
static bool is_forwarded(const struct command_line *own, const char *name)
{
    size_t count;
    const struct opt *run = scenario_options(&count), *found = opts_find(run, count, name);
    bool output = found && strcmp(scenario_section((size_t)(found - run)), "output") == 0;
    return found && (!output || is_served(name)) &&
           !opts_find(own->opts.table, own->opts.options, name) &&
           !(own->kept && strcmp(own->kept, name) == 0);
}

static int add(struct forwarded_options *p, const char *word, const char *value, struct err *e)
{
    if (p->options == PASSED_ON_MAX)
        return err_set(e, "%.60s: at most %d options; the rest belongs in a scenario", word,
                       PASSED_ON_MAX);
    char *text = NULL;
    int n = asprintf(&text, "%s%s%s", word, value ? "=" : "", value ? value : "");
    CHECK(n > 0);
    p->option[p->options++] = text;
    return 0;
}

/* `line`: `own` with the options of a run beside it. */
static int collect(struct forwarded_options *p, const struct command_line *line,
                   const struct command_line *own, struct err *e)
{
    const int argc = line->opts.argc;
    char *const *argv = line->opts.argv;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char name[64];
        size_t length = strcspn(argv[i], "=");
        if (strncmp(argv[i], "--", 2) != 0 || length - 2 >= sizeof name)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)length - 2, argv[i] + 2);
        const struct opt *option = opts_find(line->opts.table, line->opts.options, name);
        CHECK(option);
        bool takes =
            argv[i][length] != '=' && opts_takes(option, i + 1 < argc ? argv[i + 1] : NULL);
        const char *word = argv[i], *value = takes ? argv[++i] : NULL;
        if (is_forwarded(own, name) && add(p, word, value, e) != 0)
            return -1;
    }
    return 0;
}

int forwarded_options_read(struct forwarded_options *p, const struct command_line *own,
                           void *target, struct opts_words *words, struct err *e)
{
    struct opt table[TABLE];
    struct command_line line = *own;
    line.opts.options = make_table(own, table);
    line.opts.table = table;
    *words = (struct opts_words){.word = calloc((size_t)own->opts.argc + 1, sizeof *words->word),
                                 .size = (size_t)own->opts.argc};
    CHECK(words->word);
    scenario_defaults(target);
    return command_line_parse(&line, target, words, e) == 0 ? collect(p, &line, own, e) : -1;
}

/* What a file asks for: a line can't. These commands read the exit codes of their runs. */
static int refuse_of_one_run(const struct scenario *s, struct err *e)
{
    return s->bisect_exit ? err_set(e, "--bisect-exit: only soak run has it") : 0;
}

int forwarded_options_apply(const struct forwarded_options *p, struct scenario *s,
                            struct scenario_origin *o, struct err *e)
{
    char *argv[PASSED_ON_MAX + 1] = {NULL};
    struct opts_words none = {.size = 0};
    struct opts_line line = {.argc = p->options + 1, .argv = argv};
    line.table = scenario_options(&line.options);
    line.bounds = scenario_table()->bounds;
    for (int i = 0; i < p->options; i++)
        argv[i + 1] = p->option[i];
    if (opts_parse(&line, s, &none, e) != 0)
        return -1;
    scenario_note_command(o, line.argc, line.argv);
    bool right = refuse_of_one_run(s, e) == 0 && scenario_check(s, e) == 0;
    return right ? 0 : scenario_locate(o, e);
}

void forwarded_options_free(struct forwarded_options *p)
{
    for (int i = 0; i < p->options; i++)
        free(p->option[i]);
    *p = (struct forwarded_options){.options = 0};
}
