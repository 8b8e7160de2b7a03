/* SPDX-License-Identifier: Apache-2.0 */
/* A run with a program that isn't soak's: its commands, and which options it can't have. */
#include "scenario/placeholders.h"
#include "scenario/scenario_internal.h"

#include "base/address.h"
#include "base/text.h"
#include "options/limits.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- placeholders ---- */

static const char *const names[] = {
#define NAME(id, name, about) [PLACEHOLDER_##id] = name,
    PLACEHOLDER_LIST(NAME)
#undef NAME
};

void placeholders_values(const struct placeholders *p, struct words_value ret[PLACEHOLDERS + 1])
{
    for (size_t i = 0; i < PLACEHOLDERS; i++)
        ret[i] = (struct words_value){names[i], p->value[i]};
    ret[PLACEHOLDERS] = (struct words_value){NULL, NULL};
}

int placeholders_split(const char *command, const struct placeholders *p, struct words *ret,
                       struct err *e)
{
    struct words_value values[PLACEHOLDERS + 1];
    placeholders_values(p, values);
    return words_split(command, values, ret, e);
}

bool placeholder_used(const char *command, enum placeholder which)
{
    char text[32];
    snprintf(text, sizeof text, "{%s}", names[which]);
    return strstr(command, text) != NULL;
}

/* Commands and --env are read before anything is started, with something in the place of each value
 * that will be known. */
static struct placeholders some_values(const struct scenario *s, bool runs)
{
    struct placeholders some = {{NULL}};
    for (size_t i = 0; (s->server || s->client) && i < PLACEHOLDERS; i++)
        some.value[i] = "x";
    some.value[PLACEHOLDER_PID] = runs ? "x" : NULL;
    some.value[PLACEHOLDER_COUNT] = s->loop ? "x" : NULL;
    return some;
}

static int check_command(const struct scenario *s, const char *name, const char *command, bool runs,
                         struct err *e)
{
    struct placeholders some = some_values(s, runs);
    struct words words;
    struct err why;
    if (command && placeholders_split(command, &some, &words, &why) != 0)
        return scenario_refuse(s, name, e, "%s", why.text);
    return 0;
}

/* Only of a program that isn't soak's: braces in the environment of soak's own are themselves. */
static int check_environment(const struct scenario *s, struct err *e)
{
    struct placeholders some = some_values(s, false);
    struct words_value values[PLACEHOLDERS + 1];
    placeholders_values(&some, values);
    for (size_t i = 0; i < s->env.count; i++) {
        char *filled = words_fill(s->env.item[i], values, false, e);
        free(filled);
        if (!filled)
            return err_prefix(e, "--env %.100s", s->env.item[i]);
    }
    return 0;
}

/* ---- its address ---- */

const char *scenario_address(const struct scenario *s)
{
    if (s->connect)
        return s->connect;
    return s->server ? "127.0.0.1:{port}" : s->listen;
}

bool scenario_meets_foreign(const struct scenario *s)
{
    return s->server || (s->connect && !s->client);
}

static int check_connect(const struct scenario *s, struct err *e)
{
    static const char open[] = ":{port}";
    char text[2 * ADDRESS_TEXT];
    struct address at;
    const char *given = scenario_address(s), *port = strstr(given, open);
    snprintf(text, sizeof text, "%.*s%s", port ? (int)(port - given) : ADDRESS_TEXT, given,
             port ? ":0" : "");
    bool right = scenario_parse_address(s, text, &at) == 0 && (!port || strcmp(port, open) == 0);
    if (!right || (!port && address_port(&at) == 0))
        return scenario_refuse(s, "connect", e,
                               "a loopback address and a port, such as 127.0.0.1:8443, or "
                               "127.0.0.1:{port} for a free one: the load stays on this machine");
    if (port && !s->server)
        return scenario_refuse(s, "connect", e, "{port} has a meaning only with --server");
    if (port && s->template.count == 0 && !placeholder_used(s->server, PLACEHOLDER_PORT) &&
        !placeholder_used(s->server, PLACEHOLDER_ADDRESS))
        return scenario_refuse(
            s, "server", e,
            "nothing says where it listens: --connect 127.0.0.1:PORT, or {port} "
            "in the command or in a file of --template for a port of soak's choice");
    return 0;
}

/* ---- options that are soak-server's ---- */

/* Options of options.def, and which of soak's own programs take them. */
struct column {
    const char *name;
    bool server, client;
};

static const struct column columns[] = {
#define TAKES_S                              true
#define TAKES_C                              true
#define TAKES__                              false
#define X(section, name, s, c, f, TYPE, ...) {name, TAKES_##s, TAKES_##c},
#include "options/options.def"
#undef X
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static bool is_one_of(const char *name, const char *const *list)
{
    while (*list && strcmp(name, *list) != 0)
        list++;
    return *list != NULL;
}

/* Those of the built-in server alone, but for those that soak makes something of itself. */
static bool is_built_in(size_t i)
{
    static const char *const own[] = {"key", "client-auth", "handshake-timeout", NULL},
                             *const others[] = {"openssl", "libuv",      "jemalloc",
                                                "libc",    "fail-alloc", NULL};
    if (i >= COLUMNS || is_one_of(columns[i].name, own))
        return false;
    return is_one_of(columns[i].name, others) || (columns[i].server && !columns[i].client);
}

/* What a client program does by itself, or doesn't let soak do: the built-in client's options, and
 * what changes the server that it is to meet. */
static bool is_no_clients(size_t i)
{
    static const char *const own[] = {"closed", "say", NULL},
                             *const others[] = {"openssl",    "libuv",         "jemalloc",
                                                "libc",       "defect",        "emfile",
                                                "workers",    "connect",       "footprint",
                                                "fail-alloc", "client-malloc", "client-workers",
                                                NULL};
    if (i >= COLUMNS || is_one_of(columns[i].name, own)) /* --mix says all weights */
        return false;
    return is_one_of(columns[i].name, others) || (columns[i].client && !columns[i].server);
}

const struct opts_table *scenario_foreign_table(void)
{
    static struct opt kept[SCENARIO_OPTIONS];
    static struct opts_table table = {.option = kept};
    size_t count;
    const struct opt *options = scenario_options(&count);
    table.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_built_in(i))
            kept[table.count++] = options[i];
    }
    return &table;
}

/* All of them in one sentence. */
static int check_own(const struct scenario *s, bool (*is_refused)(size_t i), const char *whose,
                     struct err *e)
{
    char text[256], value[OPTS_TEXT], usual[OPTS_TEXT];
    struct text list = text_list(text, sizeof text, ", ");
    struct scenario defaults;
    size_t count;
    const struct opt *options = scenario_options(&count);
    scenario_defaults(&defaults);
    for (size_t i = 0; i < count; i++) {
        if (is_refused(i) && strcmp(opts_print(&options[i], s, value, sizeof value),
                                    opts_print(&options[i], &defaults, usual, sizeof usual)) != 0)
            text_item(&list, "--%s", options[i].name);
    }
    if (list.used == 0)
        return 0;
    return err_set(e, "%s: soak's own %s has this; leave it out with %s", text, whose,
                   s->server   ? "--server, which says in its command what that program is to do"
                   : s->client ? "--client, which says in its command what that program is to do"
                               : "--connect, as that server runs already");
}

/* ---- the rest ---- */

int scenario_stop_signal(const struct scenario *s)
{
    const char *name = strncmp(s->stop, "SIG", 3) == 0 ? s->stop + 3 : s->stop;
    for (int number = 1; number < NSIG; number++) {
        const char *known = sigabbrev_np(number);
        if (known && strcmp(known, name) == 0)
            return number;
    }
    return 0;
}

static int check_server_program(const struct scenario *s, struct err *e)
{
    if (check_own(s, is_built_in, "server", e) < 0 ||
        check_command(s, "server", s->server, false, e) < 0)
        return -1;
    return check_connect(s, e);
}

/* It runs already, so that nothing can be said of how. */
static int check_running(const struct scenario *s, struct err *e)
{
    return check_own(s, is_built_in, "server", e) < 0 ? -1 : check_connect(s, e);
}

/* It may be said in the command, in its environment, or in a file that soak fills in. */
static int check_loop(const struct scenario *s, struct err *e)
{
    bool counts = placeholder_used(s->client, PLACEHOLDER_COUNT) || s->template.count;
    for (size_t i = 0; i < s->env.count && !counts; i++)
        counts = placeholder_used(s->env.item[i], PLACEHOLDER_COUNT);
    if (s->loop < LIMIT_LOOP_LEAST)
        return scenario_refuse(s, "loop", e,
                               "from %d: fewer runs don't tell a leak from what differs by chance",
                               LIMIT_LOOP_LEAST);
    if (counts)
        return 0;
    return scenario_refuse(s, "loop", e,
                           "the command of --client has no {count}, the number of connections that "
                           "a run is to make; only runs that differ by it show what connections "
                           "leave behind");
}

static int check_client_program(const struct scenario *s, struct err *e)
{
    if (s->server)
        return scenario_refuse(s, "client", e, "there is --server too; leave one of the two out");
    if (check_own(s, is_no_clients, "client", e) < 0 ||
        check_command(s, "client", s->client, false, e) < 0 || (s->loop && check_loop(s, e) < 0))
        return -1;
    if (s->template.count || placeholder_used(s->client, PLACEHOLDER_ADDRESS) ||
        placeholder_used(s->client, PLACEHOLDER_PORT))
        return 0;
    return scenario_refuse(s, "client", e,
                           "nothing says where it is to connect: {address}, or {port}, in the "
                           "command or in a file of --template");
}

/* Else the machine's own program would run under the name of the one that was fetched. */
static int check_fetched(const struct scenario *s, struct err *e)
{
    bool used =
        !s->program || placeholder_used(s->client ? s->client : s->server, PLACEHOLDER_PROGRAM);
    for (size_t i = 0; i < s->env.count && !used; i++)
        used = placeholder_used(s->env.item[i], PLACEHOLDER_PROGRAM);
    return used ? 0
                : scenario_refuse(
                      s, "program", e,
                      "nothing would run of it; begin the command with its folder, as in "
                      "{program}/usr/sbin/nginx");
}

int scenario_check_foreign(const struct scenario *s, struct err *e)
{
    if (check_command(s, "on-drain", s->on_drain, true, e) < 0)
        return -1;
    if (!s->server && !s->client)
        return s->connect ? check_running(s, e) : 0;
    if ((s->client ? check_client_program : check_server_program)(s, e) < 0 ||
        check_environment(s, e) < 0 || check_fetched(s, e) < 0 ||
        check_command(s, "on-checkpoint", s->on_checkpoint, true, e) < 0 ||
        check_command(s, "reload", s->reload, true, e) < 0)
        return -1;
    if (!s->stop || scenario_stop_signal(s) == 0)
        return scenario_refuse(s, "stop", e, "the name of a signal, such as TERM or QUIT");
    return s->processes ? 0 : scenario_refuse(s, "processes", e, "all, main, or a process's name");
}
