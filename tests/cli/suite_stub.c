/* SPDX-License-Identifier: Apache-2.0 */
/* `soak suite` and `soak merge` as they are, over runs that are made up: what a scenario comes to
 * stands in its file's name, as the words before the first dash. So a suite of many takes no time.
 */
#include "src/soak/catalog.h"
#include "src/soak/commands.h"
#include "src/soak/run_process.h"
#include "src/soak/suite/suite_line.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct outcome {
    const char *word, *verdict, *metric, *said;
    int exit_code;
} outcomes[] = {
    {"pass", "PASS", "level", "PASS  nothing grows", 0},
    {"unsure", "PASS", "unsure", "PASS  nothing grows", 0},
    {"leak", "LEAK", "grows", "LEAK  keeps <32 B> & \"more\", 100%", 1},
    {"clientleak", "LEAK", "grows", "LEAK  the client keeps", 1},
    {"programleak", "LEAK", "grows", "LEAK  the client program keeps", 1},
    {"serverleak", "LEAK", "grows", "LEAK  soak-server keeps", 1}, /* while a client is tested */
    {"clientprogram", "PASS", "level", "PASS  the client keeps nothing", 0},
    {"inconclusive", "INCONCLUSIVE", "unsure", "INCONCLUSIVE  too few", 3},
    {"invalid", "INVALID", "level", "INVALID  the server refused all", 4},
    {"torn", "LEAK", "grows", "LEAK  and the server crashed", 4},
    {"unwritten", "PASS", "level", "PASS  but soak exits with 4", 4},
    {"none", NULL, NULL, "soak: the server can't be started", 4},
    {"gone", NULL, NULL, "soak: bookworm has no tinyd=1.0-1, or no longer", 77},
    {"crash", NULL, NULL, "", -1},
    {"interrupt", "PASS", "level", "PASS  interrupted", 130},
    {"interruptedleak", "LEAK", "grows", "LEAK  interrupted", 130},
    {"kill", "PASS", "level", "", 0},
};

static json_t *metrics(const struct outcome *o)
{
    return json_pack("[{s:s,s:s,s:f,s:f,s:s},{s:s,s:s,s:n,s:n,s:s}]", "id", "openssl_bytes", "unit",
                     "bytes", "per_conn", 32.0, "limit", 0.0, "state", o->metric, "id", "rss_anon",
                     "unit", "bytes", "per_conn", "limit", "state", "level");
}

/* As many checkpoints as a long run has: 100 connections each, and a block of each where it grows.
 */
static json_t *series(const struct outcome *o)
{
    json_t *closed = json_array(), *value = json_array();
    for (int i = 0; i < 47; i++) {
        json_array_append_new(closed, json_integer(i * 100));
        json_array_append_new(value, json_integer(8000 + (*o->metric == 'g' ? i * 100 : i % 3)));
    }
    return json_pack("[{s:s,s:s,s:o,s:o}]", "id", "openssl_blocks", "unit", "blocks", "closed",
                     closed, "value", value);
}

static json_t *subject(const struct outcome *o, const char *name, bool guilty)
{
    const char *verdict = guilty ? o->verdict : "PASS";
    json_t *site = json_pack("[{s:s,s:i,s:s,s:s}]", "file", "server/defect.c", "line", 74, "kind",
                             "side-allocation-lost", "verdict", verdict);
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o}", "name", name, "verdict", verdict, "kind",
                     "side-allocation-lost", "sites", site, "metrics",
                     guilty ? metrics(o) : json_array(), "series",
                     guilty ? series(o) : json_array());
}

/* As a soak/1 document, as far as a suite reads it. What is under test comes first. */
static json_t *document(const struct outcome *o, int number)
{
    bool of_server = strcmp(o->word, "serverleak") == 0;
    bool is_client =
        of_server || strcmp(o->word, "clientprogram") == 0 || strcmp(o->word, "programleak") == 0;
    bool of_client = (is_client && !of_server) || strcmp(o->word, "clientleak") == 0;
    json_t *server = subject(o, "server", !of_client), *client = subject(o, "client", of_client);
    return json_pack("{s:s,s:s,s:s,s:{s:s},s:{s:i,s:i,s:s},s:[o,o]}", "schema", "soak/1", "verdict",
                     o->verdict, "run_dir", "runs/here", "libs", "openssl", "3.0.0", "run",
                     "closed", 1000 + number, "measured", 900 + number, "seed", "7f3a", "subjects",
                     is_client ? client : server, is_client ? server : client);
}

int run_process_execute(struct run_process *s, const char *const *words,
                        struct run_process_result *ret, struct err *e)
{
    char name[128];
    size_t last = 0;
    while (words[last + 1])
        last++;
    catalog_name(words[last], name, sizeof name);
    const char *dash = strchr(name, '-');
    size_t length = strcspn(name, "-");
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        const struct outcome *o = &outcomes[i];
        if (strlen(o->word) != length || strncmp(o->word, name, length) != 0)
            continue;
        if (strcmp(o->word, "kill") == 0)
            raise(SIGKILL);
        int number = dash ? (int)strtol(dash + 1, NULL, 10) : 0;
        *ret = (struct run_process_result){.exit_code = o->exit_code};
        ret->document = o->verdict ? document(o, number) : NULL;
        snprintf(ret->said, sizeof ret->said, "%s", o->said);
        s->interrupted = strncmp(o->word, "interrupt", 9) == 0;
        return 0;
    }
    return err_set(e, "%s: no such outcome", name);
}

/* The commands of this program. */
const struct command *const *commands(size_t *ret_count)
{
    static const struct command *const entries[] = {&suite_command, &merge_command};
    *ret_count = 2;
    return entries;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "suite") == 0)
        return cmd_suite(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "merge") == 0)
        return cmd_merge(argc - 1, argv + 1);
    fprintf(stderr, "usage: suite-stub suite|merge ...\n");
    return 2;
}
