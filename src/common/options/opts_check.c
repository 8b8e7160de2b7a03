/* SPDX-License-Identifier: Apache-2.0 */
#include "opts_check.h"

#include "base/check.h"
#include "base/text.h"
#include "behaviours.h"
#include "choices.h"
#include "grammar.h"
#include "limits.h"

#include <stdarg.h>
#include <string.h>

enum { TEXT = 64 };

void opts_set_usual(const struct opts_table *t, void *target)
{
    for (size_t i = 0; i < t->count; i++) {
        const char *usual = t->bounds[i].usual;
        CHECK(!usual || opts_set(&t->option[i], target, usual, NULL) == 0);
    }
}

int opts_parse_only(const struct opts_table *t, int argc, char *const *argv, void *target,
                    struct err *e)
{
    const char *word[1], *slash = strrchr(argv[0], '/');
    const struct opts_line line = {t->option, t->count, argc, argv, t->bounds};
    struct opts_words words = {word, 1, 0};
    if (opts_parse(&line, target, &words, e) < 0)
        return -1;
    if (words.count > 0)
        return err_set(e, "%s: not an option; %s takes options only", word[0],
                       slash ? slash + 1 : argv[0]);
    return 0;
}

int opts_refuse(const struct opts_table *t, const void *target, const char *name, struct err *e,
                const char *format, ...)
{
    char said[256], value[128] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    const struct opt *option = opts_find(t->option, t->count, name);
    CHECK(option);
    if (option->type != OPT_FLAG && option->type != OPT_OFF)
        opts_print(option, target, value, sizeof value);
    return err_set(e, "--%s%s%s: %s", name, *value ? " " : "", value, said);
}

/* ---- limits ---- */

/* The value of an option that has limits. */
static uint64_t number_of(const struct opt *option, const void *target)
{
    const void *field = (const char *)target + option->offset;
    return option->type == OPT_INT ? (uint64_t) * (const int *)field : *(const uint64_t *)field;
}

static char *print_limit(char *buf, size_t size, enum opt_type type, uint64_t limit)
{
    switch (type) {
    case OPT_SIZE:
        return grammar_size_print(buf, size, limit);
    case OPT_DURATION:
        return grammar_duration_print(buf, size, limit);
    case OPT_ONE_IN:
        return grammar_one_in_print(buf, size, limit);
    default:
        return human_count(buf, size, (int64_t)limit);
    }
}

static int check_limits(const struct opts_table *t, size_t i, const void *target, struct err *e)
{
    const struct opt *option = &t->option[i];
    uint64_t least = t->bounds[i].limits.least, most = t->bounds[i].limits.most;
    char low[TEXT], high[TEXT];
    if (most == 0)
        return 0;
    uint64_t value = number_of(option, target);
    if (value >= least && value <= most)
        return 0;
    print_limit(low, sizeof low, option->type, least);
    print_limit(high, sizeof high, option->type, most);
    if (least == 0)
        return opts_refuse(t, target, option->name, e, "at most %s", high);
    return opts_refuse(t, target, option->name, e, "from %s to %s", low, high);
}

/* ---- rules ---- */

static bool all_met(const struct opts_table *t, const void *target, const char *conditions)
{
    struct opts_condition c;
    while (opts_condition_next(&conditions, &c)) {
        const struct opt *option = opts_find(t->option, t->count, c.name);
        if (!option || !opts_need_met(option, target, c.values))
            return false;
    }
    return true;
}

static int check_rules(const struct opts_table *t, const void *target, struct err *e)
{
    static const struct {
        const char *refused, *conditions, *said;
    } rules[] = {
#define X(refused, conditions, said) {refused, conditions, said},
#include "options/rules.def"
#undef X
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (all_met(t, target, rules[i].conditions))
            return opts_refuse(t, target, rules[i].refused, e, "%s", rules[i].said);
    }
    return 0;
}

/* ---- rules that are more than values ---- */

static const void *field(const struct opts_table *t, const void *target, const char *name)
{
    const struct opt *option = opts_find(t->option, t->count, name);
    return option ? (const char *)target + option->offset : NULL;
}

static int check_ciphers(const struct opts_table *t, const void *target, struct err *e)
{
    const char *const *ciphers = field(t, target, "ciphers");
    const int *tls = field(t, target, "tls");
    if (!ciphers || !*ciphers || *tls == TLS_ANY || opts_ciphers_name(*ciphers, *tls == TLS_1_3))
        return 0;
    return opts_refuse(t, target, "ciphers", e,
                       *tls == TLS_1_2 ? "none is of TLS 1.2; leave out --tls 1.2"
                                       : "none is of TLS 1.3, such as TLS_AES_128_GCM_SHA256; or "
                                         "give --tls 1.2");
}

static int check_numbers(const struct opts_table *t, const void *target, struct err *e)
{
    const uint64_t *timeout_ns = field(t, target, "session-timeout");
    const uint64_t *payload = field(t, target, "payload");
    const int *operate = field(t, target, "operate");
    if (timeout_ns && *timeout_ns % LIMIT_SECOND_NS)
        return opts_refuse(t, target, "session-timeout", e, "whole seconds, such as 300s");
    if (operate && *operate != OPERATE_NONE && *payload > LIMIT_OPERATION)
        return opts_refuse(t, target, "payload", e,
                           "with --operate at most 16KiB: an operation is one record");
    return 0;
}

static int check_defect(const struct opts_table *t, const void *target, struct err *e)
{
    const char *const *defect = field(t, target, "defect");
    enum defect_kind kind;
    uint64_t one_in;
    struct err why;
    if (defect && *defect && defect_parse(*defect, &kind, &one_in, &why) < 0)
        return opts_refuse(t, target, "defect", e, "%s", why.text);
    return 0;
}

static int check_talk(const struct opts_table *t, const void *target, struct err *e)
{
    static const char *const names[] = {"say", "answer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t bytes[OPTS_STRING_LIMIT];
        size_t count;
        struct err why;
        const char *const *text = field(t, target, names[i]);
        if (text && *text && grammar_bytes(*text, bytes, sizeof bytes, &count, &why) < 0)
            return err_set(e, "--%s %.100s: %s", names[i], *text, why.text);
    }
    return 0;
}

static int check_server_mix(const struct opts_table *t, const void *target, struct err *e)
{
    const uint64_t *weight = field(t, target, "server-mix");
    for (int i = 0; weight && i < SERVER_BEHAVIOURS; i++) {
        const struct server_behaviour_entry *b = server_behaviour_entry((enum server_behaviour)i);
        const struct opts_need need = {
            .table = t, .target = target, .who = "server-mix", .what = b->name};
        if (weight[i] && opts_check_needs(&need, b->needs, e) < 0)
            return -1;
    }
    if (weight && !opts_any_weight(opts_find(t->option, t->count, "server-mix"), weight))
        return opts_refuse(t, target, "server-mix", e,
                           "nothing would be done; give one a weight, such as close=1");
    return 0;
}

static int check_cert_names(const struct opts_table *t, const void *target, struct err *e)
{
    const uint64_t *weight = field(t, target, "server-mix");
    const struct opt *names = opts_find(t->option, t->count, "cert-names");
    if (!weight || !names || weight[SERVER_BEHAVIOUR_MANY_NAMES] ||
        !opts_need_met(names, target, "!100"))
        return 0;
    return opts_refuse(t, target, "cert-names", e,
                       "no certificate with many names is shown; give --server-mix many-names, "
                       "or leave it out");
}

int opts_check(const struct opts_table *t, const void *target, struct err *e)
{
    for (size_t i = 0; i < t->count; i++) {
        if (check_limits(t, i, target, e) < 0)
            return -1;
    }
    if (check_rules(t, target, e) < 0 || check_numbers(t, target, e) < 0 ||
        check_defect(t, target, e) < 0 || check_talk(t, target, e) < 0 ||
        check_server_mix(t, target, e) < 0 || check_cert_names(t, target, e) < 0)
        return -1;
    return check_ciphers(t, target, e);
}

/* ---- what a behaviour needs ---- */

static bool is_flag(const struct opt *option)
{
    return option->type == OPT_FLAG || option->type == OPT_OFF;
}

/* `--session ticket or cache`, `--alpn NAME`, `--until-sure`. */
static void print_need(char *buf, size_t size, const struct opt *option, const char *values)
{
    size_t length;
    struct text need = text_into(buf, size);
    text_add(&need, "--%s", option->name);
    const char *value;
    if (is_flag(option))
        return;
    if (strcmp(values, "*") == 0) {
        text_add(&need, " %s", option->metavar);
        return;
    }
    for (int i = 0; (value = choices_at(values, i, &length)); i++) {
        const char *joint = i == 0 ? " " : value[length] ? ", " : " or ";
        text_add(&need, "%s%.*s", joint, (int)length, value);
    }
}

/* `name=~a|b`: when it is given, it has one of these. `name=!a|b`: none of them; `name=!*`: it
 * isn't given. */
static int refuse_list(const struct opts_need *n, const struct opt *option, const char *values,
                       struct err *e)
{
    char value[OPTS_TEXT];
    size_t first = strcspn(values + 1, "|");
    opts_print(option, n->target, value, sizeof value);
    if (strcmp(values, "!*") == 0)
        return opts_refuse(n->table, n->target, n->who, e, "%s needs a run without --%s %.100s",
                           n->what ? n->what : "it", option->name, value);
    return opts_refuse(n->table, n->target, n->who, e, "%s needs %.*s %s --%s %.100s",
                       n->what ? n->what : "it", (int)first, values + 1,
                       *values == '!' ? "left out of" : "in", option->name, value);
}

static int check_need(const struct opts_need *n, const struct opts_condition *c, struct err *e)
{
    char wanted[2 * sizeof c->values];
    const struct opt *option = opts_find(n->table->option, n->table->count, c->name);
    if (!option || opts_need_met(option, n->target, c->values))
        return 0;
    if (*c->values == '~' || *c->values == '!')
        return refuse_list(n, option, c->values, e);
    print_need(wanted, sizeof wanted, option, c->values);
    bool unwanted = is_flag(option) && strcmp(c->values, "false") == 0;
    return opts_refuse(n->table, n->target, n->who, e, "%s needs %s%s", n->what ? n->what : "it",
                       unwanted ? "a run without " : "", wanted);
}

int opts_check_needs(const struct opts_need *n, const char *needs, struct err *e)
{
    struct opts_condition c;
    while (opts_condition_next(&needs, &c))
        if (check_need(n, &c, e) < 0)
            return -1;
    return 0;
}

/* Whether the server isn't soak-server: what soak and its client have to say that. */
static bool is_foreign(const struct opts_table *t, const void *target)
{
    const char *const *command = field(t, target, "server");
    const bool *foreign = field(t, target, "foreign");
    return (command && *command) || (foreign && *foreign);
}

/* What can't be done to this server is skipped by the client, with its reason. */
int opts_check_mix(const struct opts_table *t, const void *target, struct err *e)
{
    const struct opt *mix = opts_find(t->option, t->count, "mix");
    const uint64_t *weight = field(t, target, "mix");
    CHECK(mix);
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        const struct behaviour_entry *b = behaviour_entry((enum behaviour)i);
        bool done = weight[i] && !behaviour_unfit((enum behaviour)i, is_foreign(t, target));
        const struct opts_need need = {.table = t, .target = target, .who = b->name};
        if (done && opts_check_needs(&need, b->needs, e) < 0)
            return -1;
    }
    if (!opts_any_weight(mix, weight))
        return opts_refuse(
            t, target, "mix", e,
            "no peer would do anything; give a behaviour a weight, such as --clean 1");
    return 0;
}
