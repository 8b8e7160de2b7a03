/* SPDX-License-Identifier: Apache-2.0 */
#include "calibrate.h"

#include <string.h>

enum { WARM_UP = 2 }; /* checkpoints: what is made once is made in them */

/* Where peers resume, full and resumed handshakes leave connections of different size, so a ledger
 * that is the same at every checkpoint isn't asked for. Somebody must finish a handshake: hence
 * "mostly". */
static const struct calibrate_mix mixes[] = {
    {"default", {NULL}, true},
    {"resets only",
     {"--reset", "1", "--clean", "0", "--half-close", "0", "--mid-handshake", "0"},
     true},
    {"mostly aborts",
     {"--mid-handshake", "19", "--clean", "1", "--half-close", "0", "--reset", "0"},
     true},
    {"no resets", {"--reset", "0"}, true},
    {"resumed tickets", {"--resume", "50%"}, false},
    {"session cache", {"--resume", "50%", "--session", "cache"}, false},
    {"full session cache", {"--resume", "50%", "--session", "cache", "--cache-size", "64"}, false},
    {"TLS 1.2", {"--tls", "1.2"}, true},
    {"RSA", {"--key", "rsa2048"}, true},
    {"client certificates", {"--client-auth", "require"}, true},
    {"libc's malloc", {"--malloc", "libc"}, true},
    {"4 workers", {"--workers", "4", "--client-workers", "4"}, true},
    {"4 workers, libc", {"--workers", "4", "--client-workers", "4", "--malloc", "libc"}, true},
};

const struct calibrate_mix *calibrate_mixes(size_t *ret_count)
{
    *ret_count = sizeof mixes / sizeof *mixes;
    return mixes;
}

static struct calibrate_figures figures_of(const json_t *sample, const char *subject)
{
    const json_t *openssl = json_object_get(json_object_get(sample, subject), "openssl");
    const json_t *blocks = json_object_get(openssl, "blocks");
    const json_t *bytes = json_object_get(openssl, "bytes");
    if (!json_is_integer(blocks) || !json_is_integer(bytes))
        return (struct calibrate_figures){-1, -1};
    return (struct calibrate_figures){json_integer_value(blocks), json_integer_value(bytes)};
}

void calibrate_ledger_add(struct calibrate_ledger *l, const json_t *sample)
{
    static const char *const subject[] = {"server", "client"};
    const char *kind = json_string_value(json_object_get(sample, "kind"));
    if (!kind || strcmp(kind, "checkpoint") != 0 || ++l->checkpoints <= WARM_UP)
        return;
    for (size_t i = 0; i < sizeof subject / sizeof *subject; i++) {
        struct calibrate_figures now = figures_of(sample, subject[i]);
        if (l->checkpoints == WARM_UP + 1)
            l->first[i] = now;
        l->moved |=
            now.blocks < 0 || now.blocks != l->first[i].blocks || now.bytes != l->first[i].bytes;
    }
}

bool calibrate_ledger_level(const struct calibrate_ledger *l)
{
    return l->checkpoints > WARM_UP + 1 && !l->moved;
}

enum verdict calibrate_count(struct calibrate_tally *t, const struct result *r, bool level)
{
    enum verdict v = r ? r->verdict : VERDICT_INVALID;
    t->runs++;
    t->verdict[v]++;
    t->level += level;
    return v;
}

const char *calibrate_reason(const struct result *r)
{
    for (size_t i = 0; !r->broken && i < r->subjects; i++) {
        const struct judgement *j = &r->subject[i].judgement;
        if (j->verdict == r->verdict)
            return j->reasons ? j->reason[0] : "";
    }
    return r->broken ? r->broken : "";
}
