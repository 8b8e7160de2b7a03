/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the values of options have to be: within the limits of their table, and not at odds with
 * each other (rules.def). soak checks a run's options so before it starts anything, and each
 * program its own. Pure.
 */
#ifndef SOAK_OPTIONS_OPTS_CHECK_H
#define SOAK_OPTIONS_OPTS_CHECK_H

#include "base/err.h"
#include "options/opts.h"

#include <stdbool.h>
#include <stdint.h>

/* A program's options. */
struct opts_table {
    const struct opt *option;
    const struct opt_bounds *bounds;
    size_t count;
};

/* Sets every option that has a default. */
void opts_set_usual(const struct opts_table *t, void *target);
/* Reads the command line of a program that takes options only. Returns 0, or -1 with a sentence. */
int opts_parse_only(const struct opts_table *t, int argc, char *const *argv, void *target,
                    struct err *e);
/* Returns 0, or -1 with a sentence that names the option. */
int opts_check(const struct opts_table *t, const void *target, struct err *e);
/* `--name value: sentence`. Returns -1. */
int opts_refuse(const struct opts_table *t, const void *target, const char *name, struct err *e,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * Conditions `name=values`, separated by blanks, as rules.def and behaviours.def have them:
 * opts_condition.c.
 */
struct opts_condition {
    char name[64], values[128];
};
/* Takes the first condition off a list. Returns false when none is left. */
bool opts_condition_next(const char **list, struct opts_condition *ret);
/* Whether a list of weights has one above 0. */
bool opts_any_weight(const struct opt *option, const uint64_t *weight);
/* Whether an option is as `values` says. */
bool opts_need_met(const struct opt *option, const void *target, const char *values);

/* Whose needs are looked at, by the option that is refused. */
struct opts_need {
    const struct opts_table *table;
    const void *target;
    const char *who;
    const char *what; /* part of its value: a name; NULL: `it` */
};
/* Whether the options are as `needs` says; the table is free of those that it hasn't. Returns 0 or
 * -1. */
int opts_check_needs(const struct opts_need *n, const char *needs, struct err *e);
/* That a behaviour of --mix has a weight, and what those need that have one. Returns 0 or -1. */
int opts_check_mix(const struct opts_table *t, const void *target, struct err *e);

/* Whether `ciphers`, separated by colons, name one of TLS 1.3, or of the versions before it: the
 * names of TLS 1.3's begin with TLS_ (RFC 8446 B.4). */
bool opts_ciphers_name(const char *ciphers, bool tls13);

#endif
