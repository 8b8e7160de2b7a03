/* SPDX-License-Identifier: Apache-2.0 */
/* The live view over figures that are made up. Each line on stdin is a step, answered on stdout by
 * `done`: `phase NAME`, `tick SECONDS` (of the run), `early SECONDS` (nothing judged yet), `note
 * TEXT`, `end`. What it draws goes to stderr, as in a run. */
#include "src/soak/run/live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct live_facts facts = {.phase = "measuring",
                                  .scenario = "a-scenario-with-a-name",
                                  .libs = "openssl=3.0.17 libuv=1.44.2 jemalloc=5.3.0",
                                  .tls = "1.3",
                                  .key = "P-256",
                                  .conns = 30,
                                  .seed = 0x7f3a,
                                  .asked_per_s = 1000,
                                  .epoch = 3,
                                  .epochs = 8,
                                  .total = 60000,
                                  .left_ms = NAN,
                                  .open = 30,
                                  .p50_ns = 17000000,
                                  .p99_ns = 41000000,
                                  .blocks = 8377,
                                  .ssl_objects = 30,
                                  .sessions = 60,
                                  .has_heap = true,
                                  .heap_bytes = 2580000,
                                  .rss_bytes = 13600000,
                                  .heap_per_conn = NAN};

static void set_time(double seconds, bool judged)
{
    facts.elapsed_ms = (uint64_t)(seconds * 1000);
    facts.closed = (uint64_t)(seconds * 984);
    facts.rate_per_s = 984;
    facts.left_ms = judged ? (60 - seconds) * 1000 : NAN;
    facts.one_in = judged ? 1200 : 0;
    facts.heap_per_conn = judged ? 0.1 : NAN;
    facts.heap_half_width = 0.5;
}

/* Returns false at the end. */
static bool step(struct live *l, char *line)
{
    static char phase[64];
    char *rest = strchr(line, ' ');
    rest = rest ? rest + 1 : line + strlen(line);
    if (strncmp(line, "phase", 5) == 0) {
        snprintf(phase, sizeof phase, "%s", rest);
        facts.phase = phase;
        live_phase(l, &facts);
    } else if (strncmp(line, "note", 4) == 0) {
        live_note(l, rest);
    } else if (strncmp(line, "end", 3) == 0) {
        return false;
    } else {
        set_time(strtod(rest, NULL), line[0] == 't');
        live_tick(l, &facts);
    }
    return true;
}

int main(void)
{
    char line[256];
    struct live *l = live_new();
    bool more = true;
    while (more && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        more = step(l, line);
        if (!more) {
            live_free(l);
            l = NULL;
        }
        puts("done");
        fflush(stdout);
    }
    live_free(l);
    return more;
}
